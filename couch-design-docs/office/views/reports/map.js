// Reports by time: [at, id], with what each is about.
function (doc) {
  if (doc.type === 'report') emit([doc.at, doc._id], doc.target)
}
