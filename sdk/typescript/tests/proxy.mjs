import { once } from 'node:events'
import http from 'node:http'

// proxy returns an HTTP server before the target. Each request takes the next entry of its plan: 'pass', which is also what an empty
// plan says; 'close' the connection and do nothing; 'drop' the answer once the target has done the work, 'cut' it in half, or
// 'hang' forever instead; or an object { status, headers, body, cut }, which is the answer, of which the half is left out when it is
// cut. seen has every request.
export async function proxy(target) {
  const seen = []
  const server = http.createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const { method, url, headers } = request
    const body = Buffer.concat(chunks)
    seen.push({ method, url, headers, body: body.toString() })
    const step = p.plan.shift() ?? 'pass'
    if (step === 'close') return request.socket.destroy()
    if (typeof step === 'object') {
      const planned = step.body ?? { success: false, error: 'Planned.', code: 'planned' }
      const content = Buffer.isBuffer(planned) ? planned : Buffer.from(typeof planned === 'string' ? planned : JSON.stringify(planned))
      response.writeHead(step.status, { ...step.headers ?? { 'Content-Type': 'application/json' }, ...(step.cut ? { 'Content-Length': content.length } : {}) })
      if (step.cut) return response.write(content.subarray(0, content.length / 2), () => request.socket.destroy())
      return response.end(content)
    }
    const forward = http.request(target + url, { method, headers: { ...headers, connection: 'close' } })
    forward.end(body)
    const [answer] = await once(forward, 'response')
    const parts = []
    for await (const part of answer) parts.push(part)
    const whole = Buffer.concat(parts)
    if (step === 'hang') return
    if (step === 'drop') return request.socket.destroy()
    response.writeHead(answer.statusCode, answer.headers)
    if (step === 'cut') return response.write(whole.subarray(0, whole.length / 2), () => request.socket.destroy())
    response.end(whole)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const p = { base: `http://127.0.0.1:${server.address().port}`, seen, plan: [], close: () => { server.close(); server.closeAllConnections() } }
  return p
}
