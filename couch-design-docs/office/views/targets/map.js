// Reports by what they are about.
function (doc) {
  if (doc.type === 'report') emit(doc.target, doc._rev)
}
