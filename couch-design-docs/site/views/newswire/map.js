function (doc) {
  if (doc.type === 'item') emit([doc.at, doc._id], doc.listing)
}
