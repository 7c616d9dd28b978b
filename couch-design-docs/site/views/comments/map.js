// The comments of an item as they came: [item, at, hash].
function (doc) {
  if (doc.type === 'comment' && !doc.standing.hidden) {
    emit([doc.item, doc.at, doc.hash], { hash: doc.hash, at: doc.at, inReplyTo: doc.inReplyTo, fields: doc.fields })
  }
}
