// Matches of filters that nobody has decided on, by time: [at, id], with what each is about.
function (doc) {
  if (doc.type === 'match' && doc.open) emit([doc.at, doc._id], doc.target)
}
