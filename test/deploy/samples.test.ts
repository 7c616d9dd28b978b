import { glob, readFile } from 'node:fs/promises'
import test from 'ava'

/** What web servers call the address of a client, and the headers that pass it on. */
const ADDRESS =
  /\$(?:binary_)?remote_addr|\$remote_port|\$realip_|\$proxy_protocol_addr|\$http_x_forwarded_for|\$proxy_add_x_forwarded_for|x-real-ip|x-forwarded-for|\bclient[._]ip\b|\{(?:http\.request\.)?remote(?:[._]host)?\}|%[ahA]\b|mod_remoteip/i

/** A line of Varnish or Caddy that takes a header off a request. */
const TAKEN_OFF = /^\s*(?:unset (?:be)?req\.http\.[\w-]+;|header_up -[\w-]+)$/gm

test('no sample of a web server names the address of a client', async (t) => {
  let files = 0
  for await (const file of glob('deploy/**/*', { withFileTypes: true })) {
    if (!file.isFile()) continue
    files += 1
    const text = await readFile(`${file.parentPath}/${file.name}`, 'utf8')
    // What takes one off has to name it.
    t.notRegex(text.replaceAll(TAKEN_OFF, ''), ADDRESS, file.name)
  }
  t.true(files > 1)
  for (const line of [
    'log_format combined $remote_addr',
    'proxy_set_header X-Real-IP x',
    'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    'client.ip',
    'LogFormat "%h %l"',
  ])
    t.regex(line, ADDRESS)
})

test('the sample for nginx logs nothing', async (t) => {
  const text = await readFile('deploy/nginx/hyperactive.conf', 'utf8')
  t.regex(text, /^error_log \/dev\/null crit;$/m)
  t.regex(text, /^ +access_log off;$/m)
  t.is(text.match(/^\s*(?:access_log|error_log)/gm)?.length, 2)
})
