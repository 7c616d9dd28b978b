import { posix } from 'node:path'
import { editXml, localName } from './edit-xml.ts'
import type { Verdict } from './edit-xml.ts'
import { isFilePath, lastStep, withoutFolders } from './file-paths.ts'
import { unreadable } from './problems.ts'

/** Formats of parts that can be written anew, and fonts. */
const KEPT = /\.(?:xml|rels|jpe?g|png|gif|webp|ttf|otf|odttf|fntdata)$/i

/** Parts of an OpenDocument that show something; each object in it has a folder with parts of these names. */
const KEPT_ODF =
  /^mimetype$|^META-INF\/manifest\.xml$|(?:^|\/)(?:content|styles)\.xml$|(?:^|\/)(?:Pictures|Fonts)\/[^/]+$/

/** Whether a part may stay in the document; one of Office Open XML only when a relationship leads to it as well. */
export function mayStay(name: string, isOpenDocument: boolean): boolean {
  const isShown = isOpenDocument ? KEPT_ODF.test(name) : true
  return isShown && (KEPT.test(name) || name === 'mimetype') && !/(?:^|\/)\.\.?(?:\/|$)|^\/|\\/.test(name)
}

/**
 * What one part may be to another: the last step of a relationship's type (ECMA-376 part 1, and Microsoft's later
 * ones). All else holds who, when, where and with what, runs, or is unknown.
 */
const KEPT_RELATIONS = new Set(
  (
    'officeDocument styles stylesWithEffects settings theme themeOverride fontTable font numbering header footer ' +
    'footnotes endnotes glossaryDocument image hyperlink chart chartEx chartStyle chartColorStyle chartUserShapes ' +
    'diagramData diagramLayout diagramQuickStyle diagramColors diagramDrawing drawing worksheet chartsheet ' +
    'sharedStrings calcChain table pivotTable pivotCacheDefinition pivotCacheRecords externalLink sheetMetadata ' +
    'slicer slicerCache timeline timelineCache rdRichValue rdRichValueStructure rdRichValueTypes richValueRel ' +
    'slide slideLayout slideMaster notesSlide notesMaster handoutMaster presProps viewProps tableStyles'
  ).split(' '),
)
/** Where another workbook is; a reader has no use for it, but the workbook does not open without. */
const PLACE_OF_WORKBOOK = /^(?:externalLinkPath|xlPathMissing)$/

const hasScheme = (address: string) => /^[a-z][a-z0-9+.-]+:/i.test(address.trim())

export interface Relationships {
  xml: string
  /** Ids that lead nowhere any more. */
  gone: Set<string>
  /** Parts that it leads to. */
  reached: string[]
}

/** What the relationships of a part become. */
export function editRelationships(
  xml: string,
  owner: string,
  isKept: (part: string) => boolean,
): Relationships {
  const folder = posix.dirname(owner)
  const gone = new Set<string>()
  const reached: string[] = []
  const edited = editXml(xml, (element, attributes) => {
    if (localName(element) !== 'Relationship') return attributes
    const { Target: target = '', TargetMode: mode, Type: type = '', Id: id = '' } = attributes
    const relation = type.slice(type.lastIndexOf('/') + 1)
    const drop = (): Verdict => {
      gone.add(id)
      return 'cut'
    }
    if (mode === 'External') {
      if (PLACE_OF_WORKBOOK.test(relation)) return { ...attributes, Target: lastStep(target) }
      // Anything but a link that a reader follows is fetched as soon as the document is opened.
      if (relation !== 'hyperlink') return drop()
      return isFilePath(target) || !hasScheme(target)
        ? { ...attributes, Target: lastStep(target) }
        : attributes
    }
    const path = target.startsWith('/') ? target.slice(1) : posix.join(folder, target)
    const part = posix.normalize(path).replace(/[?#].*/, '')
    if (!KEPT_RELATIONS.has(relation) || !isKept(part)) return drop()
    reached.push(part)
    return attributes
  })
  return { xml: edited, gone, reached }
}

const CUT_OOXML = new Set(
  (
    'commentRangeStart commentRangeEnd commentReference annotationRef rsids docVars docId creationId absPath ' +
    'fileSharing attachedTemplate mailMerge moveFromRangeStart moveFromRangeEnd moveToRangeStart moveToRangeEnd ' +
    'rPrChange pPrChange sectPrChange tblPrChange tcPrChange trPrChange tblGridChange tblPrExChange numberingChange ' +
    'cellIns cellDel cellMerge delText delInstrText revisionPtr customWorkbookViews customSheetViews webPublishItems ' +
    'alternateUrls'
  ).split(' '),
)
const CUT_ODF = new Set(
  (
    'annotation annotation-end tracked-changes change change-start change-end scripts event-listeners ' +
    'document-signatures binary-data'
  ).split(' '),
)
const NOTES_OOXML =
  /^(?:author|initials|userName|userId|user|ed|lastModifiedBy|refreshedBy|refreshedDate(?:Iso)?|comment|securityDescriptor|rsid\w*)$/
const NOTES_ODF = /^(?:paragraph-)?rsid$/

function editedValue(key: string, value: string): string {
  if (key.startsWith('xmlns')) return value
  if (isFilePath(value)) return lastStep(value)
  return /^(?:instr|formula)$/.test(localName(key)) ? withoutFolders(value) : value
}

function editedAttributes(attributes: Record<string, string>, isOpenDocument: boolean): Verdict {
  let changed: Record<string, string> | undefined
  const notes = isOpenDocument ? NOTES_ODF : NOTES_OOXML
  for (const [key, value] of Object.entries(attributes)) {
    const name = localName(key)
    if (notes.test(name) || (!isOpenDocument && key.includes(':') && name === 'date')) {
      changed ??= { ...attributes }
      delete changed[key]
      continue
    }
    const edited = editedValue(key, value)
    if (edited === value) continue
    changed ??= { ...attributes }
    changed[key] = edited
  }
  return changed ?? attributes
}

/** What a part of Office Open XML becomes: without names, dates, comments, and versions that were changed since. */
export function editOoxmlPart(xml: string, gone: ReadonlySet<string> | undefined, isText: boolean): string {
  return editXml(
    xml,
    (element, attributes) => {
      const local = localName(element)
      if (CUT_OOXML.has(local)) return 'cut'
      // `a:moveTo` is a step of a drawing.
      if (isText && !element.startsWith('a:')) {
        if (local === 'del' || local === 'moveFrom') return 'cut'
        if (local === 'ins' || local === 'moveTo') return 'unwrap'
      }
      const isDangling = Object.entries(attributes).some(
        ([key, value]) => key.includes(':') && gone?.has(value),
      )
      if (!isDangling) return editedAttributes(attributes, false)
      if (local !== 'pageSetup') return 'cut'
      return Object.fromEntries(Object.entries(attributes).filter(([key]) => !key.endsWith(':id')))
    },
    (name, text) => (localName(name) === 'instrText' ? withoutFolders(text) : text),
  )
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
