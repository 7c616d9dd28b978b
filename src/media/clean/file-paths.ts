const FILE_PATH = /^file:|^[a-z]:[\\/]|^\\\\|^\/(?:home|Users)\/|^\.\.[\\/]/i

/** Whether a text is a path on somebody's computer. */
export function isFilePath(text: string): boolean {
  return FILE_PATH.test(text.trim())
}

/** The last step of a path, which says nothing of whose computer it was on. */
export function lastStep(path: string): string {
  return path.trim().split(/[\\/]/).at(-1) ?? ''
}

/** The folders of a path that stands somewhere in the code of a field or a formula, as it is written in XML. */
const FOLDERS =
  /(?:file:(?=[\\/])|\b[a-z]:(?=[\\/])|\\(?=\\)|(?<![\w./-])(?=\/(?:home|Users)\/))[\\/]+(?:(?:(?!&quot;)[^"\\/<>|])+[\\/]+)*/gi

/** A code without the folders of paths in it. */
export function withoutFolders(code: string): string {
  return code.replaceAll(FOLDERS, '')
}
