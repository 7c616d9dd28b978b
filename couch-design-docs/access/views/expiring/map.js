// Sessions and links by the time of their end, milliseconds since 1970.
function (doc) {
  if (doc.expiresAt) emit(doc.expiresAt, doc._rev)
}
