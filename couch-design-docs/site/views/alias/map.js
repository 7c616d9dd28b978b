// Paths of older sites: [path, at, item].
function (doc) {
  if (doc.type !== 'item' || !doc.fields.aliases) return
  doc.fields.aliases.forEach(function (path) {
    emit([encodeURIComponent(path), doc.at, doc._id], { kind: doc.kind })
  })
}
