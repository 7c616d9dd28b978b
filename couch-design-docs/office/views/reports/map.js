// Reports by time: [at, id].
function (doc) {
  if (doc.type === 'report') emit([doc.at, doc._id], null)
}
