function (doc) {
  if (doc.type !== 'item') return
  doc.listing.tags.forEach(function (tag) {
    emit([tag, doc.at, doc._id], doc.listing)
  })
}
