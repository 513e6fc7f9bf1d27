// Signing in at an OpenID Connect issuer: authorization code with PKCE, by the platform's own functions.
import { signIn } from './client.js'

const { issuer, client = '', scope = '' } = document.body.dataset
const place = 'office.oidc'
const home = new URL('.', import.meta.url).href // where the issuer sends the clerk back to

/** Whether there is an issuer. */
export const hasIssuer = issuer !== undefined

/** @param {Uint8Array} bytes */
const text = bytes => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
const random = () => text(crypto.getRandomValues(new Uint8Array(32)))

/** Reads where the issuer's endpoints are. @returns {Promise<{ authorization_endpoint: string, token_endpoint: string }>} */
async function endpoints() {
  const answer = await fetch(`${(issuer ?? '').replace(/\/$/, '')}/.well-known/openid-configuration`)
  if (!answer.ok) throw new Error(`HTTP status ${answer.status}`)
  return answer.json()
}

/** Leaves for the issuer. The clerk comes back to the same screen. */
export async function leave() {
  const { authorization_endpoint: at } = await endpoints()
  const verifier = random(), state = random()
  const challenge = text(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))))
  sessionStorage.setItem(place, JSON.stringify({ verifier, state, address: location.href }))
  const query = { response_type: 'code', client_id: client, redirect_uri: home, scope, state, code_challenge: challenge, code_challenge_method: 'S256' }
  location.assign(`${at}${at.includes('?') ? '&' : '?'}${new URLSearchParams(query)}`)
}

/** Takes the token for the code with which the issuer sends the clerk back. Does nothing on any other address. */
export async function arrive() {
  const { code = '', state, error, error_description: why } = Object.fromEntries(new URLSearchParams(location.search))
  const kept = JSON.parse(sessionStorage.getItem(place) ?? 'null')
  if (!hasIssuer || !kept || state !== kept.state || !(code || error)) return
  sessionStorage.removeItem(place)
  history.replaceState(null, '', kept.address)
  if (error) throw new Error(why ?? error)
  const { token_endpoint: at } = await endpoints()
  const form = { grant_type: 'authorization_code', code, redirect_uri: home, client_id: client, code_verifier: kept.verifier }
  const answer = await fetch(at, { method: 'POST', body: new URLSearchParams(form) })
  const { access_token: token } = await answer.json()
  if (!answer.ok || !token) throw new Error(`HTTP status ${answer.status}`)
  signIn(token)
}
