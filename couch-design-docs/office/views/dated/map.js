// What is forgotten when it is old, by its day: marks of what has been looked at, and matches that are closed.
function (doc) {
  if (doc.type === 'looked' || (doc.type === 'match' && !doc.open)) emit(doc.day, doc._rev)
}
