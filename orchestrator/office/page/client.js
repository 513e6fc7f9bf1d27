// The services as the pages see them: the SDK's client, the token, and loading with the answers of older questions
// dropped.
import { B2B, B2BError } from './generated/sdk/index.js'
import { useEffect, useRef, useState } from './vendor/htm-preact.js'
import { decimalMark } from './words.js'

/** @typedef {import('./generated/sdk/index.js').Order} Order */
/** @typedef {import('./generated/sdk/index.js').OrderSummary} OrderSummary */
/** @typedef {import('./generated/sdk/index.js').Product} Product */
/** @typedef {import('./generated/sdk/index.js').Customer} Customer */
/** @typedef {import('./generated/sdk/index.js').ChangeEvent} ChangeEvent */

const { customers = '', orders = '' } = document.body.dataset
const orchestrator = new URL('..', import.meta.url).href.replace(/\/$/, '')
const bases = { customers, orders, orchestrator }

// The token is in the tab's storage until the tab is closed. Other tabs of the back office give it to a new one.
const place = 'office.token'
const tabs = new BroadcastChannel(place)
const listeners = new Set()
let token = sessionStorage.getItem(place) ?? ''
let refused = false

/** @param {string} value */
function keep(value) {
  token = value
  refused = false
  if (value) sessionStorage.setItem(place, value)
  else sessionStorage.removeItem(place)
  listeners.forEach(listener => listener())
}

/** Signs in with a token, in every tab; '' signs out. @param {string} value */
export function signIn(value) {
  keep(value.trim().replace(/^Bearer\s+/i, ''))
  tabs.postMessage({ token })
}

tabs.onmessage = ({ data }) => {
  if (data === 'token?') { if (token) tabs.postMessage({ token }) } else if (data.token !== token) keep(data.token)
}

// A link of b2b office has the token in its fragment, which no server sees. It leaves the address at once.
const given = /^#token=([\w.~+/=-]+)$/.exec(location.hash)?.[1]
if (given) {
  history.replaceState(null, '', location.pathname + location.search)
  signIn(given)
} else if (!token) tabs.postMessage('token?')

/**
 * Returns what the token says of its bearer; empty without a token. The services alone decide what it is worth.
 * @returns {{ sub?: string, scope?: string | string[], scp?: string | string[], customer_id?: number, exp?: number }}
 */
export function bearer() {
  try {
    const claims = token.split('.')[1] ?? ''
    const bytes = Uint8Array.from(atob(claims.replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0))
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return {}
  }
}

/** Reports whether a caller with this token may do something; a page without a token finds out by trying. @param {string} scope */
export function may(scope) {
  const { scope: granted, scp, customer_id: partner } = bearer()
  if (partner && /^(products|customers):write$/.test(scope)) return false
  const scopes = granted ?? scp // a text or a list, by the issuer
  return scopes === undefined || [scopes].flat().join(' ').split(' ').some(has => has === scope || has === 'admin')
}

/** Draws a component again when the token changes. @returns {{ token: string, refused: boolean }} */
export function useToken() {
  const [, draw] = useState(0)
  useEffect(() => {
    const listener = () => draw(n => n + 1)
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  }, [])
  return { token, refused }
}

/**
 * Calls a service. When it refuses the token of now, the page asks for a token.
 * @type {typeof fetch}
 */
async function call(input, options) {
  const by = token
  const answer = await fetch(input, options)
  if (answer.status === 401 && by === token && !refused) {
    refused = true
    listeners.forEach(listener => listener())
  }
  return answer
}

/** The client. A call gives up after 20 seconds; what then happens to a change is said by the form. */
export const api = new B2B({
  ...bases, fetch: call, deadline: 20_000, tryTimeout: 9_000, get token() { return token || undefined },
})

/** The client for files, which take their time. */
export const patient = new B2B({
  ...bases, fetch: call, deadline: 120_000, tryTimeout: 60_000, get token() { return token || undefined },
})

/**
 * Calls an address without the SDK: files, of which the SDK knows only JSON.
 * @param {'customers' | 'orders'} service
 * @param {string} path
 * @param {RequestInit} [options]
 */
export async function fetchFile(service, path, options = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : undefined
  const response = await call(bases[service] + path, { ...options, headers })
  if (response.ok) return response
  const body = await response.json().catch(() => ({}))
  throw new B2BError(body.error ?? 'no answer', {
    code: body.code ?? 'unexpected_answer', status: response.status, details: body.details ?? [], retryable: false,
    correlationId: response.headers.get('X-Correlation-Id') ?? '', idempotencyKey: undefined,
  })
}

// The services' clock, by the Date of an answer: countdowns must not depend on a clerk's clock.
let ahead = 0
fetch(bases.orchestrator + '/health').then(answer => {
  const date = Date.parse(answer.headers.get('Date') ?? '')
  if (date && Math.abs(date - Date.now()) > 2000) ahead = date - Date.now()
}, () => {})

/** Returns the milliseconds until a moment, by the services' clock. @param {string} moment */
export const until = moment => Date.parse(moment) - Date.now() - ahead

/** Draws a component every second while it counts down. @param {boolean} counting */
export function useSeconds(counting) {
  const [, draw] = useState(0)
  useEffect(() => {
    if (!counting) return
    const timer = setInterval(() => draw(n => n + 1), 1000)
    return () => clearInterval(timer)
  }, [counting])
}

/** Loads again each minute while the page is seen, and at once when it is seen again. @param {() => void} reload */
export function useMinutes(reload) {
  useEffect(() => {
    const again = () => { if (!document.hidden) reload() }
    const timer = setInterval(again, 60_000)
    document.addEventListener('visibilitychange', again)
    return () => { clearInterval(timer); document.removeEventListener('visibilitychange', again) }
  }, [])
}

/** The last answers, so that the way back shows a list at once, while it is read anew. @type {Map<string, any>} */
const seen = new Map()

/**
 * Loads what a screen shows, and again when the question changes. Until the answer comes, data is that of before: of
 * the same question, or of the one that the screen showed. The answer of an older question is dropped.
 * @template T
 * @param {string} question names what is asked; equal questions have equal answers
 * @param {(signal: AbortSignal) => Promise<T>} ask
 * @returns {{ data: T | undefined, error: any, loading: boolean, reload: () => void, set: (data: T) => void }}
 */
export function useLoad(question, ask) {
  const [time, setTime] = useState(0)
  const [state, setState] = useState({ data: seen.get(question), error: /** @type {any} */ (undefined), loading: true })
  const { token: by } = useToken()
  const asked = useRef('')
  useEffect(() => {
    const stop = new AbortController()
    setState(before => ({ data: seen.get(question) ?? before.data, error: undefined, loading: true }))
    asked.current = question
    ask(stop.signal).then(
      data => {
        if (stop.signal.aborted) return
        remember(question, data)
        setState({ data, error: undefined, loading: false })
      },
      error => {
        if (stop.signal.aborted) return
        setState(before => ({ ...before, error, loading: false }))
      },
    )
    return () => stop.abort()
  }, [question, time, by])
  return {
    ...state,
    reload: () => setTime(n => n + 1),
    set: data => { remember(question, data); setState({ data, error: undefined, loading: false }) },
  }
}

/** @param {string} question @param {unknown} data */
function remember(question, data) {
  seen.delete(question)
  seen.set(question, data)
  if (seen.size > 50) seen.delete(seen.keys().next().value ?? '')
}
listeners.add(() => seen.clear()) // another token sees other things

/** What is known of customers by id: of a deleted one, or one that the token may not see, null. @type {Map<number, Customer | null>} */
const known = new Map()
listeners.add(() => known.clear())

/**
 * Returns customers by id, for the names in a list of orders.
 * @param {number[]} ids
 * @param {AbortSignal} [signal]
 */
export async function customersOf(ids, signal) {
  const missing = [...new Set(ids)].filter(id => !known.has(id))
  for (let i = 0; i < missing.length; i += 100) {
    const page = missing.slice(i, i + 100)
    const { data } = await api.listCustomers({ ids: page.join(), limit: 100, ...deletedToo() }, { signal })
    for (const id of page) known.set(id, data.find(customer => customer.id === id) ?? null)
  }
  return new Map(ids.map(id => [id, known.get(id) ?? null]))
}

/** Asks for deleted customers, too, if the token may see them. */
export const deletedToo = () => (may('events:read') ? { include_deleted: true } : {})

/** Returns the name of a customer that is known already. @param {number} id */
export const nameOf = id => known.get(id)?.name

/** Notes a customer as it is now. @param {Customer} customer */
export function learn(customer) { known.set(customer.id, customer) }

/** Forgets a customer, so that it is asked for anew. @param {number} id */
export function forget(id) { known.delete(id) }

/** The separator of cells that a spreadsheet of this language expects. */
export const delimiter = decimalMark === ',' ? 'semicolon' : 'comma'
