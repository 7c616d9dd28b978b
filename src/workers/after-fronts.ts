import type { Outside } from '../pages/store/outside.ts'
import type { Back } from './back.ts'

/**
 * Tells whoever keeps pages outside only when all fronts know of a change: before that, one could still give them the page
 * as it was.
 */
export function afterFronts(outside: Outside, back: Pick<Back, 'size' | 'heard'>): Outside {
  const tell = (say: () => void) => {
    if (back.size === 0) say()
    else void back.heard().then(say)
  }
  return {
    get usesKeys() {
      return outside.usesKeys
    },
    given: (page) => outside.given(page),
    changed: (change, first) => tell(() => outside.changed(change, first)),
    cleared: () => tell(() => outside.cleared()),
  }
}
