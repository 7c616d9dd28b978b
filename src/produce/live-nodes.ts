import { wordingOf } from '../i18n/wording.ts'
import type { Language } from '../i18n/messages.ts'
import type { Peer } from '../replication/peers-file.ts'
import { escapeHtml } from './rewrite.ts'

const MOST_NAMED = 8
/** Where the sentence stands that says what a copy cannot do. */
export const NOTICE = 'copy'

/** Public addresses of nodes that take what a produced site cannot: this one's, then those of its peers, each once. */
export function liveNodes(
  own: string | undefined,
  peers: readonly Pick<Peer, 'url' | 'enabled'>[],
): string[] {
  const others = peers.filter(({ enabled }) => enabled).flatMap(({ url }) => url ?? [])
  return [...new Set([...(own === undefined ? [] : [own]), ...others])].slice(0, MOST_NAMED)
}

/**
 * What stands where a form stood: that this is a copy, and where the same form is.
 *
 * @param action the form's address, with the language in front where there is one
 */
export function noticeInstead(
  { live, language }: { live: readonly string[]; language: Language },
  action: string,
  isFirst: boolean,
): string {
  const { t } = wordingOf(language)
  const id = isFirst ? ` id="${NOTICE}"` : ''
  if (live.length === 0) return `<p class="masthead-line"${id}>${escapeHtml(t('produce.readOnly'))}</p>`
  const links = live.map((url) => {
    const { host } = new URL(url)
    return `<a href="${escapeHtml(url + action)}" dir="ltr">${escapeHtml(host)}</a>`
  })
  return `<p class="masthead-line"${id}>${escapeHtml(t('produce.copy'))} ${links.join(' · ')}</p>`
}

/** A page that leads on to another one, for what the node answers by sending readers there. */
export function leadingPage(target: string, language: Language): string {
  const { t, direction } = wordingOf(language)
  const address = escapeHtml(target)
  return `<!doctype html>
<html lang="${language}" dir="${direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${address}">
<title>${escapeHtml(t('produce.moved'))}</title>
</head>
<body><p><a href="${address}">${escapeHtml(t('produce.moved'))}</a></p></body>
</html>
`
}
