// Nobody but an administrator changes or deletes what is in the ledger, or writes what is no ledger document. The node
// checks far more at its gateway; this keeps those out who reach the database past it.
function (newDoc, oldDoc, userCtx) {
  if (userCtx.roles.indexOf('_admin') !== -1) return
  var parts = /^([0-9a-z]{26}|network):[a-z][a-z0-9-]{0,39}:([0-9a-f]{40})$/.exec(newDoc._id)
  if (!parts) throw { forbidden: 'the id is not one of a ledger document' }
  if (newDoc._deleted) throw { forbidden: 'nothing in the ledger is deleted' }
  if (newDoc._attachments) throw { forbidden: 'documents of the ledger have no attachments' }
  if (oldDoc) throw { forbidden: 'nothing in the ledger is updated' }
  var revisions = newDoc._revisions
  var isFirst = revisions && revisions.start === 1 && revisions.ids.length === 1
  if (!isFirst || revisions.ids[0] !== parts[2].slice(0, 32)) {
    throw { forbidden: 'a document has the one revision that its id implies' }
  }
}
