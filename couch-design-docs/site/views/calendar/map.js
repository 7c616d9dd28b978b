// Events on each local day that they touch: [scope, day, start, item, occurrence]. Beside the whole calendar, '', each
// group, tag and place has its own.
function (doc) {
  if (doc.type !== 'item' || !doc.occurrences || doc.standing.hidden) return
  var entry = doc.listing
  var scopes = ['']
  entry.tags.forEach(function (tag) {
    scopes.push('tag:' + encodeURIComponent(tag))
  })
  entry.places.forEach(function (place) {
    scopes.push('place:' + encodeURIComponent(place))
  })
  if (entry.group) {
    scopes.push('group:' + encodeURIComponent(entry.group))
    scopes.push('group:' + encodeURIComponent(entry.group + ' ' + (doc.groupKey || doc.author)))
  }
  doc.occurrences.forEach(function (time) {
    var value = {
      title: time.title || entry.title,
      venue: time.venue || entry.venue,
      language: entry.language,
      status: entry.status,
      allDay: entry.allDay,
      zone: entry.zone,
      occurrence: time.occurrence,
      start: time.start,
      end: time.end,
      day: time.day,
      lastDay: time.lastDay,
    }
    var last = Date.parse(time.lastDay)
    for (var day = Date.parse(time.day); day <= last; day += 86400000) {
      var onDay = new Date(day).toISOString().slice(0, 10)
      scopes.forEach(function (scope) {
        emit([scope, onDay, time.start, doc._id, time.occurrence], value)
      })
    }
  })
}
