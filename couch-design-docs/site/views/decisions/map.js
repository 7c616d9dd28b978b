// Every decision on what is here, and every erasure, by its time: [at, hash]. Of what nobody can read no title stands in
// the log.
function (doc) {
  if (doc.type !== 'item' && doc.type !== 'comment' && doc.type !== 'awaited') return
  var parts = doc._id.split(':')
  var closed = doc.standing ? doc.standing.closed : 'erased'
  var ended = {}
  Object.keys(doc.decisions || {}).forEach(function (hash) {
    doc.decisions[hash].supersedes.forEach(function (other) {
      if (other !== hash) ended[other] = true
    })
  })
  function row(hash, known, action) {
    var value = { action: action, node: known.node, item: doc.item || doc._id, type: doc.type }
    if (known.reason) value.reason = known.reason
    if (known.category) value.category = known.category
    if (known.by) value.by = known.by
    if (doc.type === 'item') value.kind = doc.kind
    if (doc.type === 'comment') value.comment = doc.hash
    if (parts.length === 3) {
      value.item = parts[1]
      value.comment = parts[2]
    }
    if (ended[hash]) value.ended = true
    // The page of a hidden comment is none.
    if (doc.type === 'comment' && doc.standing.hidden) value.unread = true
    if (closed) value.closed = closed
    else if (doc.type === 'item') value.title = doc.listing.title
    emit([known.at, hash], value)
  }
  if (doc.type !== 'awaited') {
    Object.keys(doc.decisions).forEach(function (hash) {
      row(hash, doc.decisions[hash], doc.decisions[hash].action)
    })
  }
  Object.keys(doc.erasures || {}).forEach(function (hash) {
    var known = doc.erasures[hash]
    row(hash, known, known.did || 'erase')
  })
}
