import { Distributor } from '../../src/mirrors/distributor.ts'
import { WalkedSite } from '../../src/mirrors/walked-site.ts'

/** A process of its own that distributes the site in a folder to another one, until it is killed. */
const [siteFolder = '', data = '', folder = ''] = process.argv.slice(2)
const distributor = new Distributor({
  site: await WalkedSite.walk(siteFolder),
  data,
  mirrors: [{ name: 'stick', kind: 'folder', folder }],
  longestPauseMs: 200,
})
distributor.start()
process.stdout.write('started\n')
setInterval(() => undefined, 1000)
