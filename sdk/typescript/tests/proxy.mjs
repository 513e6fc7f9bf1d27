import { once } from 'node:events'
import http from 'node:http'

// proxy returns an HTTP server before the target. Each request takes the next entry of its plan: 'pass', which is also what an empty
// plan says; 'close' the connection and do nothing; 'drop' the answer once the target has done the work, 'cut' it in half, or
// 'hang' forever instead; or an object { status, headers, body }, which is the answer. seen has every request.
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
      response.writeHead(step.status, { 'Content-Type': 'application/json', ...step.headers })
      return response.end(typeof step.body === 'string' ? step.body : JSON.stringify(step.body ?? { success: false, error: 'Planned.', code: 'planned' }))
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
