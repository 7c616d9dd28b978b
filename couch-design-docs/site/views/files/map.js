// Files by their digests, those that readers get first: [sha256, 0 | 1, item, media] → what it is served as.
function (doc) {
  if (!doc.media) return
  var media = doc.media
  var counts = {}
  if (doc.type === 'item' && !doc.standing.hidden && doc.fields.files) {
    doc.fields.files.forEach(function (entry) {
      var named = media[entry.media]
      if (named && named.of === undefined) {
        counts[entry.media] = true
        counts[named.files[0].sha256] = true
      }
    })
  }
  Object.keys(media).forEach(function (hash) {
    var named = media[hash]
    var isShown = counts[named.of === undefined ? hash : named.of] === true
    named.files.forEach(function (file) {
      emit([file.sha256, isShown ? 0 : 1, doc._id, hash], {
        kind: doc.kind,
        type: file.type,
        extension: file.extension,
        bytes: file.bytes,
        name: named.name,
        as: file.as,
        of: named.of,
        at: doc.at,
      })
    })
  })
}
