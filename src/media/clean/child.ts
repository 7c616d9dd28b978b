import { stat } from 'node:fs/promises'
import { answerParent } from './asking.ts'
import { isRowOfFrames, copyFrames } from './frames.ts'
import type { CleanLimits } from './limits.ts'
import { tooLarge } from './problems.ts'
import { headOf, typeOf } from './type-of.ts'
import { isChained } from './vorbis-chain.ts'
import { acceptedAs } from './types.ts'
import type { Family } from './types.ts'

/** One file for the child process: it looks what it is and cleans it, or says what has to run next. */
export interface ChildJob {
  task: 'file' | 'pdf-objects'
  input: string
  output: string
  limits: CleanLimits
}

/** What the child answers on its standard output. */
export type ChildAnswer =
  | { type: string; extension: string; width?: number; height?: number }
  | { type: string; next: 'ffmpeg' | 'qpdf'; framesIn?: string; isChained?: boolean }
  | { done: true }

const LIMIT_OF: Readonly<Record<Family, keyof CleanLimits>> = {
  image: 'imageBytes',
  sound: 'streamBytes',
  video: 'streamBytes',
  pdf: 'documentBytes',
  office: 'documentBytes',
  text: 'textBytes',
  captions: 'markupBytes',
  svg: 'markupBytes',
}

async function cleanFile({ input, output, limits }: ChildJob): Promise<ChildAnswer> {
  const type = await typeOf(input)
  const { family, extension, container = '' } = acceptedAs(type)
  const most = limits[LIMIT_OF[family]]
  const { size } = await stat(input)
  if (size > most) throw tooLarge(`${size} bytes; of this type ${most} at most`)
  switch (family) {
    case 'image': {
      const { cleanImage } = await import('./image.ts')
      return await cleanImage(input, type, output, limits)
    }
    case 'office': {
      const { cleanOffice } = await import('./office.ts')
      await cleanOffice(input, type, output, limits)
      return { type, extension }
    }
    case 'svg': {
      const { cleanSvg } = await import('./svg.ts')
      await cleanSvg(input, output)
      return { type, extension }
    }
    case 'captions': {
      const { cleanCaptions } = await import('./captions.ts')
      await cleanCaptions(input, output)
      return { type, extension }
    }
    case 'text': {
      const { cleanText } = await import('./text.ts')
      await cleanText(input, output, (await headOf(input)).head)
      return { type, extension }
    }
    case 'pdf':
      return { type, next: 'qpdf' }
    default: {
      if (container === 'ogg') return { type, next: 'ffmpeg', isChained: await isChained(input) }
      if (!isRowOfFrames(container)) return { type, next: 'ffmpeg' }
      const framesIn = `${output}.frames`
      await copyFrames(input, container, framesIn)
      return { type, next: 'ffmpeg', framesIn }
    }
  }
}

await answerParent(async (given): Promise<ChildAnswer> => {
  const job = given as ChildJob
  if (job.task === 'file') return await cleanFile(job)
  const { cleanPdfObjects } = await import('./pdf-objects.ts')
  await cleanPdfObjects(job.input, job.output)
  return { done: true }
})
