import { readFile, writeFile } from 'node:fs/promises'
import sanitize from 'sanitize-html'
import { unreadable } from './problems.ts'
import { textOf } from './text.ts'

/** Elements that draw, and links, which lead nowhere any more. No scripts, foreign or embedded content, animation, `metadata`, `title` or `desc`. */
const ELEMENTS = (
  'svg g a defs symbol use switch path rect circle ellipse line polyline polygon text tspan textPath ' +
  'linearGradient radialGradient stop pattern clipPath mask marker filter feBlend feColorMatrix ' +
  'feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting feDisplacementMap feDistantLight ' +
  'feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feMerge feMergeNode feMorphology ' +
  'feOffset fePointLight feSpecularLighting feSpotLight feTile feTurbulence'
).split(' ')

/** Where text is seen. */
const TEXT_ELEMENTS = new Set(['text', 'tspan', 'textPath', 'a'])

const ATTRIBUTES = (
  'xmlns version viewBox preserveAspectRatio width height x y x1 y1 x2 y2 cx cy r rx ry fx fy fr d points id class ' +
  'transform gradientTransform patternTransform gradientUnits patternUnits patternContentUnits clipPathUnits ' +
  'maskUnits maskContentUnits markerUnits markerWidth markerHeight refX refY orient spreadMethod offset pathLength ' +
  'dx dy rotate textLength lengthAdjust startOffset method spacing fill stroke opacity color display visibility ' +
  'overflow direction fill-rule fill-opacity clip-rule stroke-width stroke-linecap stroke-linejoin ' +
  'stroke-miterlimit stroke-dasharray stroke-dashoffset stroke-opacity stop-color stop-opacity font-family ' +
  'font-size font-style font-weight font-variant font-stretch letter-spacing word-spacing text-anchor ' +
  'text-decoration dominant-baseline alignment-baseline baseline-shift writing-mode clip-path mask filter ' +
  'marker-start marker-mid marker-end mix-blend-mode isolation paint-order vector-effect shape-rendering ' +
  'text-rendering color-interpolation color-interpolation-filters flood-color flood-opacity lighting-color ' +
  'filterUnits primitiveUnits in in2 result stdDeviation mode operator values type k1 k2 k3 k4 scale ' +
  'xChannelSelector yChannelSelector tableValues slope intercept amplitude exponent baseFrequency numOctaves seed ' +
  'stitchTiles surfaceScale diffuseConstant specularConstant specularExponent kernelMatrix order divisor bias ' +
  'targetX targetY edgeMode preserveAlpha radius azimuth elevation z pointsAtX pointsAtY pointsAtZ ' +
  'limitingConeAngle href xlink:href xmlns:xlink style'
).split(' ')

const DECLARATION = /^\s*([a-z-]+)\s*:\s*([^;{}\\@<>]+)$/

/** Declarations with names that are also attributes and values that lead nowhere but into the picture itself. */
function cleanStyle(style: string): string {
  return style
    .split(';')
    .filter((declaration) => {
      const [, name = '', value = ''] = DECLARATION.exec(declaration) ?? []
      return ATTRIBUTES.includes(name) && leadsNowhere(value)
    })
    .join(';')
}

function leadsNowhere(value: string): boolean {
  return !/(?:url|src|image|image-set)\s*\((?!\s*["']?#)/i.test(value) && !value.includes('/*')
}

function cleanAttributes(attributes: sanitize.Attributes): sanitize.Attributes {
  const kept: sanitize.Attributes = {}
  for (const [name, value] of Object.entries(attributes)) {
    if (!ATTRIBUTES.includes(name)) continue
    if (name.endsWith('href') && !value.startsWith('#')) continue
    if (name === 'xmlns' && value !== 'http://www.w3.org/2000/svg') continue
    if (name === 'xmlns:xlink' && value !== 'http://www.w3.org/1999/xlink') continue
    if (name === 'style') kept[name] = cleanStyle(value)
    else if (leadsNowhere(value)) kept[name] = value
  }
  return kept
}

/**
 * Writes an SVG anew with what draws, and nothing that runs, asks another server, or says who made it with what. It is
 * served as a download all the same: sanitize-html is kept for HTML, not for SVG, and makes no promise about it.
 *
 * @throws HyperactiveError `media_unreadable` where it is no SVG in UTF-8
 */
export async function cleanSvg(input: string, output: string): Promise<void> {
  const text = textOf(await readFile(input), true)
  if (text === undefined) throw unreadable('an SVG is text in UTF-8')
  const drawing = sanitize(text, {
    allowedTags: ELEMENTS,
    allowedAttributes: { '*': ATTRIBUTES },
    allowedSchemes: [],
    allowedSchemesAppliedToAttributes: [],
    allowProtocolRelative: false,
    allowVulnerableTags: false,
    nonTextTags: ['script', 'style', 'metadata', 'title', 'desc', 'foreignObject', 'textarea', 'option'],
    // With the text in them: drawing programs put whole files of their own into elements of their own.
    disallowedTagsMode: 'completelyDiscard',
    textFilter: (text, tagName) => (TEXT_ELEMENTS.has(tagName) ? text : ''),
    selfClosing: [],
    parseStyleAttributes: false,
    nestingLimit: 200,
    parser: { xmlMode: true, decodeEntities: true },
    transformTags: {
      '*': (tagName, attributes) => ({ tagName, attribs: cleanAttributes(attributes) }),
    },
  }).trim()
  const start = drawing.indexOf('<svg')
  const end = drawing.lastIndexOf('</svg>')
  if (start < 0 || end < start) throw unreadable('it holds no drawing')
  await writeFile(output, `${drawing.slice(start, end + '</svg>'.length)}\n`, { flag: 'wx' })
}
