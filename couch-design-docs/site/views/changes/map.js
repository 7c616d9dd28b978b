// What was published, edited or commented on, by the time of it: [at, id].
function (doc) {
  if (doc.standing === undefined || doc.standing.hidden) return
  if (doc.type === 'item') emit([doc.updatedAt, doc._id], doc.listing)
  if (doc.type === 'comment') {
    var value = { kind: 'comment', of: doc.item, title: doc.fields.title || '', summary: '', tags: [], places: [] }
    value.language = ''
    value.status = 'published'
    value.clashes = 0
    value.at = value.updatedAt = doc.at
    if (doc.fields.author) value.author = doc.fields.author
    emit([doc.at, doc._id], value)
  }
}
