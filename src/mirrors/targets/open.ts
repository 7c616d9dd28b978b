import type { Mirror, MirrorSecrets } from '../../config/mirrors.ts'
import { FolderTarget } from './folder.ts'
import { RsyncTarget } from './rsync.ts'
import { S3Target } from './s3.ts'
import type { Target } from './target.ts'
import { WebdavTarget } from './webdav.ts'

/** The target that a mirror's settings describe; nothing is connected to yet. */
export function openTarget(mirror: Mirror, secrets: MirrorSecrets = {}): Target {
  switch (mirror.kind) {
    case 'folder':
      return new FolderTarget(mirror)
    case 'rsync':
      return new RsyncTarget(mirror)
    case 's3':
      return new S3Target(mirror, secrets)
    default:
      return new WebdavTarget(mirror, secrets)
  }
}
