import test from 'ava'
import { Reads } from '../../src/reads.ts'

test('ranges that meet are one, others and those of other views stay apart', (t) => {
  const reads = new Reads()
  reads.addRange({ view: 'listing', from: 'm', to: 'p' })
  reads.addRange({ view: 'listing', from: 'f', to: 'm' })
  reads.addRange({ view: 'listing', from: 'p', to: 'q' })
  reads.addRange({ view: 'comments', from: 'q', to: 'z' })
  reads.addRange({ view: 'listing', from: 's', to: 't' })
  t.deepEqual(reads.ranges, [
    { view: 'listing', from: 'f', to: 'q' },
    { view: 'comments', from: 'q', to: 'z' },
    { view: 'listing', from: 's', to: 't' },
  ])
})
