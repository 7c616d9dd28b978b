import { posix } from 'node:path'
import { editXml, localName } from './edit-xml.ts'
import type { Verdict } from './edit-xml.ts'
import { unreadable } from './problems.ts'

/** Kinds of parts that stay; programs, embedded documents and formats that nothing here can write anew go. */
const KEPT = /\.(?:xml|rels|vml|jpe?g|png|gif|webp|ttf|otf|odttf|fntdata)$|^mimetype$/i

/** Parts of Office Open XML that hold who, when, where and with what, or comments. */
const NOTES_OOXML: readonly RegExp[] = [
  /^docProps\//i,
  /^customXml\//i,
  /^_xmlsignatures\//i,
  /^customUI\//i,
  /^\[trash\]\//i,
  /(?:^|\/)(?:threaded)?comments[^/]*(?:\.xml$|\/)/i,
  /(?:^|\/)(?:people|persons?|commentAuthors|authors|connections|webSettings|vbaData)[^/]*\.xml$/i,
  /(?:^|\/)(?:persons|printerSettings|tags|embeddings|activeX|ctrlProps|revisions|queryTables|webextensions)\//i,
  /^xl\/.*\.vml$/i,
]

/** Parts of OpenDocument likewise. */
const NOTES_ODF: readonly RegExp[] = [
  /(?:^|\/)(?:meta|settings|layout-cache)(?:\.xml)?$/i,
  /^(?:Thumbnails|Configurations2|Basic|Scripts|Dialogs|ObjectReplacements)\//i,
  /^META-INF\/(?!manifest\.xml$)/i,
  /(?:^|\/)manifest\.rdf$/i,
]

/** Whether a part stays in the document. */
export function stays(name: string, isOpenDocument: boolean): boolean {
  const notes = isOpenDocument ? NOTES_ODF : NOTES_OOXML
  return (
    KEPT.test(name) && !notes.some((note) => note.test(name)) && !/(?:^|\/)\.\.?(?:\/|$)|^\/|\\/.test(name)
  )
}

const isFilePath = (value: string) => /^file:|^[a-z]:[\\/]|^\\\\|^\/(?:home|Users)\//i.test(value.trim())

/** The last step of a path, which says nothing of whose computer it was on. */
const lastStep = (path: string) => path.trim().split(/[\\/]/).at(-1) ?? ''

/** What a part's relationships file becomes, and the ids that lead nowhere any more. */
export function editRelationships(
  xml: string,
  name: string,
  isKept: (part: string) => boolean,
): { xml: string; gone: Set<string> } {
  const folder = posix.dirname(posix.dirname(name))
  const gone = new Set<string>()
  const edited = editXml(xml, (element, attributes) => {
    if (localName(element) !== 'Relationship') return attributes
    const { Target: target = '', TargetMode: mode, Type: type = '', Id: id = '' } = attributes
    const drop = (): Verdict => {
      gone.add(id)
      return 'cut'
    }
    if (mode === 'External') {
      // Anything but a link that a reader follows is fetched as soon as the document is opened.
      if (!/\/(?:hyperlink|externalLinkPath)$/.test(type)) return drop()
      return isFilePath(target) ? { ...attributes, Target: lastStep(target) } : attributes
    }
    const part = posix.normalize(target.startsWith('/') ? target.slice(1) : posix.join(folder, target))
    return isKept(part.replace(/[?#].*/, '')) ? attributes : drop()
  })
  return { xml: edited, gone }
}

const CUT_OOXML = new Set(
  (
    'commentRangeStart commentRangeEnd commentReference annotationRef rsids docVars docId creationId absPath ' +
    'fileSharing attachedTemplate mailMerge moveFromRangeStart moveFromRangeEnd moveToRangeStart moveToRangeEnd ' +
    'rPrChange pPrChange sectPrChange tblPrChange tcPrChange trPrChange tblGridChange tblPrExChange numberingChange ' +
    'cellIns cellDel cellMerge'
  ).split(' '),
)
const CUT_ODF = new Set(
  (
    'annotation annotation-end tracked-changes change change-start change-end scripts event-listeners ' +
    'document-signatures'
  ).split(' '),
)

function editedAttributes(attributes: Record<string, string>, isOpenDocument: boolean): Verdict {
  let changed: Record<string, string> | undefined
  for (const [key, value] of Object.entries(attributes)) {
    const name = localName(key)
    const names = isOpenDocument ? /^rsid$/ : /^(?:author|initials|userName|lastModifiedBy|rsid\w*)$/
    if (names.test(name) || (key.startsWith('w:') && name === 'date')) {
      changed ??= { ...attributes }
      delete changed[key]
    } else if (isFilePath(value) && !key.startsWith('xmlns')) {
      changed ??= { ...attributes }
      changed[key] = lastStep(value)
    }
  }
  return changed ?? attributes
}

/** What a part of Office Open XML becomes: without names, dates, comments, and versions that were changed since. */
export function editOoxmlPart(xml: string, name: string, gone: ReadonlySet<string>): string {
  const isText = name.startsWith('word/')
  return editXml(xml, (element, attributes) => {
    const local = localName(element)
    if (CUT_OOXML.has(local)) return 'cut'
    // `a:moveTo` is a step of a drawing.
    if (isText && !element.startsWith('a:')) {
      if (local === 'del' || local === 'moveFrom') return 'cut'
      if (local === 'ins' || local === 'moveTo') return 'unwrap'
    }
    const dangling = Object.entries(attributes).filter(([key, value]) => key.includes(':') && gone.has(value))
    if (dangling.length === 0) return editedAttributes(attributes, false)
    if (local !== 'pageSetup') return 'cut'
    const kept = Object.fromEntries(Object.entries(attributes).filter(([key]) => !key.endsWith(':id')))
    return kept
  })
}

/** The list of parts and their types, with what stays. */
export function editContentTypes(xml: string, isKept: (part: string) => boolean): string {
  return editXml(xml, (element, attributes) =>
    localName(element) === 'Override' && !isKept((attributes['PartName'] ?? '').slice(1))
      ? 'cut'
      : attributes,
  )
}

/** What a part of an OpenDocument becomes: without comments, changes, macros and paths of somebody's computer. */
export function editOdfPart(xml: string): string {
  return editXml(xml, (element, attributes) =>
    CUT_ODF.has(localName(element)) ? 'cut' : editedAttributes(attributes, true),
  )
}

/** The list of an OpenDocument's parts, with what stays. */
export function editManifest(xml: string, isKept: (part: string) => boolean): string {
  return editXml(xml, (element, attributes) => {
    if (localName(element) === 'encryption-data') throw unreadable('it is protected by a password')
    const path = attributes['manifest:full-path'] ?? ''
    return localName(element) === 'file-entry' && !path.endsWith('/') && !isKept(path) ? 'cut' : attributes
  })
}
