import type { Wording } from '../../i18n/wording.ts'
import type { FilesDesk } from '../../media/keep/desk.ts'
import type { Usage } from '../../media/keep/usage.ts'
import type { Site } from '../../project/site.ts'

const ITEMS = 20
const ORPHANS = 50
const SCARCE = 50
const FAILED = 50
/** Digits of a digest that a page shows. */
const DIGITS = 16

/** Where lists of the page begin, if not at their beginnings. */
export interface Places {
  items?: { item: string; bytes: number }
  orphans?: string
}

/** What the page about files shows. Each of its lists is bounded, whatever the node has. */
export async function stockModel(
  desk: FilesDesk,
  site: Pick<Site, 'anyItem'>,
  wording: Wording,
  places: Places,
): Promise<object> {
  const { book } = desk.keeper
  const usage = book.usage()
  const disk = await desk.disk?.()
  const scarce = desk.scarce?.(SCARCE + 1)
  const failed = desk.jobs?.failed(FAILED + 1)
  const size = (bytes: number) => wording.bytes(bytes)
  return {
    usage: usage && usageModel(usage, wording),
    disk: disk && wording.t('stock.disk', { free: size(disk.freeBytes), total: size(disk.bytes) }),
    items: await itemsModel(desk, site, wording, places),
    orphans: orphansModel(desk, wording, places),
    scarce: scarce && {
      rows: scarce
        .slice(0, SCARCE)
        .map((row) => ({ ...row, name: short(row.sha256), size: size(row.bytes) })),
      more: scarce.length > SCARCE,
    },
    failed: failed && {
      rows: failed.slice(0, FAILED).map((row) => ({ ...row, name: short(row.sha256) })),
      more: failed.length > FAILED,
    },
    programs: programsModel(desk, wording),
  }
}

function usageModel({ atMs, here, missing, given, made, sorts, kinds }: Usage, wording: Wording) {
  const { t } = wording
  const row = (what: string, { files, bytes }: { files: number; bytes: number }) => ({
    what,
    files: t('stock.total', { count: files, bytes: wording.bytes(bytes) }),
  })
  const sortNames: Record<string, string> = {
    image: t('stock.image'),
    audio: t('stock.audio'),
    video: t('stock.video'),
    other: t('stock.other'),
  }
  return {
    looked: t('stock.looked', { time: timeOf(atMs, wording).text }),
    total: t('stock.total', { count: here.files, bytes: wording.bytes(here.bytes) }),
    missing: missing.files === 0 ? undefined : t('stock.missing', { count: missing.files }),
    tables: [
      {
        id: 'origin',
        title: t('stock.origin'),
        rows: [row(t('stock.given'), given), row(t('stock.made'), made)],
      },
      {
        id: 'sorts',
        title: t('stock.sorts'),
        rows: sorts.map((one) => row(sortNames[one.name] ?? one.name, one)),
      },
      {
        id: 'kinds',
        title: t('stock.kinds'),
        rows: kinds.map((one) => row(wording.kind(one.name, 'many'), one)),
      },
    ].filter(({ rows }) => rows.length > 0),
  }
}

async function itemsModel(
  { keeper }: FilesDesk,
  site: Pick<Site, 'anyItem'>,
  wording: Wording,
  places: Places,
) {
  const found = keeper.book.largestItems(ITEMS + 1, places.items)
  const shown = found.slice(0, ITEMS)
  const rows = await Promise.all(
    shown.map(async ({ item, files, bytes }) => ({
      path: `/moderate/${item}`,
      title: (await site.anyItem(item))?.listing.title ?? item,
      files: wording.t('stock.total', { count: files, bytes: wording.bytes(bytes) }),
    })),
  )
  const last = shown.at(-1)
  const next = found.length > ITEMS && last ? `?items=${last.bytes}-${last.item}` : undefined
  return { rows, next }
}

function orphansModel({ keeper }: FilesDesk, wording: Wording, { orphans: after }: Places) {
  const { book } = keeper
  const { files = 0, bytes = 0 } = book.usage()?.orphans ?? {}
  const found = book.orphans(ORPHANS + 1, after === undefined ? {} : { after })
  const shown = found.slice(0, ORPHANS)
  return {
    total: files === 0 ? undefined : wording.t('stock.total', { count: files, bytes: wording.bytes(bytes) }),
    rows: shown.map((row) => ({
      sha256: row.sha256,
      name: short(row.sha256),
      size: wording.bytes(row.bytes),
      since: timeOf(row.sinceMs, wording),
    })),
    next: found.length > ORPHANS ? `?orphans=${shown.at(-1)?.sha256 ?? ''}` : undefined,
  }
}

function programsModel({ tools: { ffmpeg, qpdf } }: FilesDesk, { t }: Wording) {
  return [
    ffmpeg
      ? { there: true, text: t('stock.there', { name: 'ffmpeg', version: ffmpeg.version }) }
      : { there: false, text: t('stock.noFfmpeg') },
    qpdf
      ? { there: true, text: t('stock.there', { name: 'qpdf', version: qpdf.version }) }
      : { there: false, text: t('stock.noQpdf') },
  ]
}

function timeOf(ms: number, wording: Wording): { iso: string; text: string } {
  const date = new Date(ms)
  return {
    iso: date.toISOString(),
    text: `${wording.format(date, { dateStyle: 'long', timeStyle: 'short' })} UTC`,
  }
}

function short(sha256: string): string {
  return sha256.slice(0, DIGITS)
}
