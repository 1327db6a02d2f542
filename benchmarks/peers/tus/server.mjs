// The peer of benchmarks/uploads.py: @tus/server as its documentation starts it.
// FSYNC=1 makes a finished file durable before the answer, which it does not do by itself.
import { open } from 'node:fs/promises'
import path from 'node:path'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'

const directory = process.env.FOLDER
const sync = async (name) => {
  const file = await open(name, 'r')
  await file.sync()
  await file.close()
}
const options = { path: '/files', datastore: new FileStore({ directory }) }
if (process.env.FSYNC) {
  options.onUploadFinish = async (_request, upload) => {
    await sync(path.join(directory, upload.id))
    await sync(directory)
    return {}
  }
}
new Server(options).listen({ host: '127.0.0.1', port: Number(process.env.PORT) }, () => console.log('READY'))
