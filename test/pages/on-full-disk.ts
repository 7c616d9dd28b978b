import { PageFiles } from '../../src/pages/store/page-files.ts'
import { keptPage } from '../helpers/kept-page.ts'

/**
 * Run in a process of its own, whose files can have few bytes: writes a page that fits and one that does not, and says
 * what became of them. Argument: the folder.
 */
const [, , folder = ''] = process.argv
const files = new PageFiles({ folder, mostBytes: 1_000_000, onRemoved: () => undefined })
await files.open()
const [small, large] = [keptPage(' en /a', 'x'.repeat(1000)), keptPage(' en /b', 'x'.repeat(100_000))]
for (const page of [small, large]) {
  files.write(page)
  await files.written()
}
const said = { small: files.has(small), large: files.has(large), problem: files.state.problem }
await files.close()
process.stdout.write(JSON.stringify(said))
