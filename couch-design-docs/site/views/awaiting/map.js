// What waits for approval, the oldest first: [at, id].
function (doc) {
  if (doc.standing && doc.standing.closed === 'awaiting') emit([doc.at, doc._id], null)
}
