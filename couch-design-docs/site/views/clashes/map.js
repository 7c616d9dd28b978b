// Items whose edits wait for a person: [at, item].
function (doc) {
  if (doc.type === 'item' && doc.clashes.length > 0) emit([doc.at, doc._id], doc.listing)
}
