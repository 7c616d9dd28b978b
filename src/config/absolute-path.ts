import { isAbsolute } from 'node:path'
import { z } from 'zod'

export const absolutePath = z
  .string()
  .refine((path) => isAbsolute(path) && !path.includes('\0'), 'must be an absolute path')
