// Orders to erase something, by their time, ["order", at, hash], and what is still to be erased here, ["due", id].
function (doc) {
  if (!doc.erasures) return
  Object.keys(doc.erasures).forEach(function (hash) {
    var known = doc.erasures[hash]
    if (!known.order) emit(['order', known.at, hash], null)
  })
  var closed = doc.standing && doc.standing.closed === 'erased'
  if (closed || doc.erasure === 'due') emit(['due', doc._id], null)
}
