// Accounts by handle, the oldest first: [handle, created, id].
function (doc) {
  if (doc.type !== 'account' || !doc.entries.handle) return
  var created = doc.entries.createdAt ? doc.entries.createdAt.value : ''
  emit([doc.entries.handle.value, created, doc._id], null)
}
