// Which items carry a word, hidden ones too: [vocabulary, word, item].
function (doc) {
  if (doc.type !== 'item') return
  doc.listing.tags.forEach(function (tag) {
    emit(['tag', encodeURIComponent(tag), doc._id], null)
  })
  doc.listing.places.forEach(function (place) {
    emit(['place', encodeURIComponent(place), doc._id], null)
  })
}
