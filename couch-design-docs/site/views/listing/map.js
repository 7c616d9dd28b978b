// Every listing in one index: [scope, at, item]. Names in scopes are percent-encoded, because CouchDB's collation takes
// some different names for equal.
function (doc) {
  if (doc.type !== 'item') return
  var entry = doc.listing
  if (doc.standing.hidden) {
    if (!doc.standing.closed) emit(['hidden', doc.at, doc._id], entry)
    return
  }
  function list(scope, name) {
    emit([name === undefined ? scope : scope + ':' + encodeURIComponent(name), doc.at, doc._id], entry)
  }
  list('kind', doc.kind)
  doc.sections.forEach(function (section) {
    list(section)
  })
  if (doc.sections.indexOf('newswire') !== -1) {
    if (doc.standing.status !== 'published') list(doc.standing.status)
    if (doc.standing.sticky) list('sticky')
  }
  if (doc.kind === 'event' || doc.kind === 'group') {
    if (doc.standing.status !== 'published') list(doc.kind + '-' + doc.standing.status)
  }
  // What podcasts and playlists of a tag are made of.
  var plays = entry.plays || []
  entry.tags.forEach(function (tag) {
    list('tag', tag)
    plays.forEach(function (sort) {
      list(sort + '-of-tag', tag)
    })
  })
  entry.places.forEach(function (place) {
    list('place', place)
  })
  if (entry.author) list('author', entry.author)
  list('language', entry.language)
  if (entry.group) {
    // A group that is not open lists what was signed with its own key alone.
    list('group', entry.group)
    list('group', entry.group + ' ' + (doc.groupKey || doc.author))
    plays.forEach(function (sort) {
      list(sort + '-of-group', entry.group)
      list(sort + '-of-group', entry.group + ' ' + (doc.groupKey || doc.author))
    })
  }
  if (entry.spot) list('spot', entry.spot)
  if (doc.fields.translationOf) list('translation', doc.fields.translationOf)
}
