/**
 * Says above a listing how many new entries there are, as the node tells it while the page is seen. Where the node has
 * no room for one more reader, the page stays as it is.
 */

const line = document.querySelector<HTMLElement>('[data-live]')
if (line) watch(line)

interface Told {
  count: number
  /** There are more than that. */
  more?: boolean
}

function watch(region: HTMLElement): void {
  const { live = '', page = '', forms = '{}', more = '' } = region.dataset
  const { lang } = document.documentElement
  const plurals = new Intl.PluralRules(lang)
  const numbers = new Intl.NumberFormat(lang)
  const messages = JSON.parse(forms) as Partial<Record<string, string>>
  let source: EventSource | undefined

  const say = ({ count, more: isMore }: Told) => {
    const message = isMore ? more : (messages[plurals.select(count)] ?? messages.other ?? '')
    const text = count === 0 ? '' : message.replace('{count}', numbers.format(count))
    // Only a change is written: programs that read pages aloud say it then.
    if (region.textContent === text) return
    region.replaceChildren(...(text === '' ? [] : [linkTo(page, text)]))
  }

  const look = () => {
    const isSeen = document.visibilityState === 'visible'
    if (isSeen && !source) {
      source = new EventSource(live)
      source.addEventListener('message', ({ data }: MessageEvent<string>) => say(JSON.parse(data) as Told))
    } else if (!isSeen) {
      // Pages that nobody looks at take no place from others.
      source?.close()
      source = undefined
    }
  }
  document.addEventListener('visibilitychange', look)
  look()
}

function linkTo(address: string, text: string): HTMLAnchorElement {
  const link = document.createElement('a')
  link.href = address
  link.textContent = text
  link.addEventListener('click', (event) => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    // The browser may keep the page for a while: this one is known to be old.
    void fetch(address, { cache: 'no-cache' })
      .catch(() => undefined)
      .then(() => location.assign(address))
  })
  return link
}
