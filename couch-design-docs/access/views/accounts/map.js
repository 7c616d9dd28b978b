// Sessions by account.
function (doc) {
  if (doc.type === 'session') emit(doc.account, doc._rev)
}
