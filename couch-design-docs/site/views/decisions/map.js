// Every decision on what is here, by its time: [at, hash]. Of what nobody can read no title stands in the log.
function (doc) {
  if (!doc.decisions || (doc.type !== 'item' && doc.type !== 'comment')) return
  Object.keys(doc.decisions).forEach(function (hash) {
    var decision = doc.decisions[hash]
    var value = { action: decision.action, node: decision.node, item: doc.item || doc._id, type: doc.type }
    if (decision.reason) value.reason = decision.reason
    if (decision.category) value.category = decision.category
    if (decision.by) value.by = decision.by
    if (doc.type === 'item') value.kind = doc.kind
    else value.comment = doc.hash
    if (doc.standing.closed) value.closed = doc.standing.closed
    else if (doc.type === 'item') value.title = doc.listing.title
    emit([decision.at, hash], value)
  })
}
