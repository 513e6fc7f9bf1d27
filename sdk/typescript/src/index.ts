import createClient from 'openapi-fetch';
import { operations, type ErrorBody, type ApiErrorDetail, type Documented } from './generated/operations.js';

export type * from './generated/operations.js';

type Operations = typeof operations;
type Name = keyof Operations;
type Nothing = Record<never, never>;

type Parameters<O, In extends 'path' | 'query' | 'header'> = O extends { parameters: { [P in In]?: infer V } }
  ? [NonNullable<V>] extends [never] ? Nothing : NonNullable<V>
  : Nothing;
type Body<O> = O extends { requestBody?: infer R }
  ? NonNullable<R> extends { content: { 'application/json': infer B } } ? B : Nothing
  : Nothing;
type SuccessBody<R> = { [S in keyof R & (200 | 201 | 202)]: R[S] extends { content: { 'application/json': infer B } } ? B : never }[keyof R & (200 | 201 | 202)];

/** All that an operation takes, in one object: the parameters of its path and query, and the fields of its body. */
export type Input<K extends Name> = Parameters<Documented[K], 'path'> & Parameters<Documented[K], 'query'> &
  (Operations[K]['key'] extends 'body'
    ? Omit<Body<Documented[K]>, 'idempotency_key'> & { idempotency_key?: string }
    : Body<Documented[K]>);

export type CallOptions<K extends Name> = {
  /** Names this call in the logs of every service; made when it is left out. */
  correlationId?: string;
  /** How long the call may take with all its tries, in milliseconds. */
  deadline?: number;
  /** Ends the call. A write may have been done all the same: see `B2BError.idempotencyKey`. */
  signal?: AbortSignal;
  /** Conditions, such as `If-Match` with the `ETag` of an earlier answer. */
  headers?: Omit<Parameters<Documented[K], 'header'>, 'X-Idempotency-Key'>;
} & (Operations[K]['key'] extends 'none' ? Nothing : {
  /** Your own name for this one effect. Without one the call makes a key, which all its tries share. */
  idempotencyKey?: string;
});

/** The envelope of the document (`data`, and `meta` of a list) and how it came. */
export type Answer<K extends Name> = SuccessBody<Documented[K]['responses']> & {
  /** The headers are in it (`ETag`, `Idempotency-Replayed`, `X-Correlation-Id`); its body has been read. */
  response: Response;
  /** The key that the call was made with; undefined when the operation takes none. */
  idempotencyKey: string | undefined;
};

type Result<K extends Name> = Promise<Answer<K>> &
  (SuccessBody<Documented[K]['responses']> extends { data: (infer T)[]; meta: { nextCursor: unknown } } ? AsyncIterable<T> : Nothing);

type Calls = {
  [K in Name]: Nothing extends Input<K>
    ? (input?: Input<K>, options?: CallOptions<K>) => Result<K>
    : (input: Input<K>, options?: CallOptions<K>) => Result<K>;
};

export interface Options {
  /** Where the Customers API is, such as `https://customers.example.com`. */
  customers: string;
  /** Where the Orders API is. */
  orders: string;
  /** Where the Orchestrator is. */
  orchestrator: string;
  /** What `Authorization: Bearer` carries; a function is asked before every try. */
  token?: string | (() => string | Promise<string>);
  /** How long a call may take with all its tries, in milliseconds; 60 000 when it is left out. */
  deadline?: number;
  /** How long one try may take, in milliseconds; 30 000 when it is left out, longer than the services themselves allow. */
  tryTimeout?: number;
  /** The platform's, when it is left out. */
  fetch?: typeof globalThis.fetch;
  /** For tests: what time it is, and waiting, in milliseconds. */
  clock?: { now(): number; sleep(milliseconds: number, signal?: AbortSignal): Promise<void> };
}

/** Why a call failed: a service refused it, or none answered. */
export class B2BError extends Error {
  override readonly name = 'B2BError';
  /** For your program; see the service's list of error codes. `no_answer` when no answer came, `not_modified` for a 304, `unexpected_answer` when somebody else answered. */
  readonly code: string;
  /** The HTTP status; 0 when no answer came. */
  readonly status: number;
  /** Which field is wrong, and what is wrong with it. */
  readonly details: ApiErrorDetail[];
  /** Names the call in the logs of every service. */
  readonly correlationId: string;
  /** Whether the same call, with `idempotencyKey` when it has one, may succeed later and can do nothing twice. */
  readonly retryable: boolean;
  /** The key that the call was made with, to repeat it or to ask what became of it; undefined when the operation takes none. */
  readonly idempotencyKey: string | undefined;

  constructor(message: string, facts: Pick<B2BError, 'code' | 'status' | 'details' | 'correlationId' | 'retryable' | 'idempotencyKey'>, cause?: unknown) {
    super(message, { cause });
    this.code = facts.code;
    this.status = facts.status;
    this.details = facts.details;
    this.correlationId = facts.correlationId;
    this.retryable = facts.retryable;
    this.idempotencyKey = facts.idempotencyKey;
  }
}

export interface B2B extends Calls {}

/**
 * The three services. Each operation of their documents is a method, which takes its parameters and the fields of its body in one
 * object: `b2b.cancelOrder({ id: 5, reason: 'a typo' })`. It resolves with the answer, or rejects with a B2BError. A list is its
 * first page when it is awaited, and all of its things when it is iterated: `for await (const order of b2b.listOrders())`.
 *
 * A read, and a write that has an idempotency key, is tried again after a connection error, the time-out of a try, 429, 502, 503
 * and 504, as long as the deadline allows. A write without a key is sent once.
 */
export class B2B {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
    for (const name of Object.keys(operations) as Name[]) {
      Object.defineProperty(this, name, { value: (input?: object, call?: object) => this.#listed(name, { ...input }, { ...call }) });
    }
  }

  #listed(name: Name, input: Record<string, unknown>, call: AnyCall) {
    const first = this.#call(name, input, call);
    const each = async function* (this: B2B) {
      for (let page = await first; ; page = await this.#call(name, { ...input, cursor: page.meta.nextCursor }, call)) {
        yield* page.data;
        if (page.meta.nextCursor === null) return;
      }
    };
    return Object.assign(first, { [Symbol.asyncIterator]: () => each.call(this) });
  }

  async #call(name: Name, input: Record<string, unknown>, call: AnyCall): Promise<any> {
    const { service, method, path, key: keyed, query: queryNames, body: takesBody } = operations[name];
    const correlationId = call.correlationId ?? random();
    let idempotencyKey: string | undefined;
    if (keyed !== 'none') idempotencyKey = call.idempotencyKey ?? (keyed === 'body' ? input.idempotency_key as string | undefined : undefined) ?? random();
    else if (call.idempotencyKey !== undefined) throw new TypeError(`${name} takes no idempotency key`);

    const pathParameters: Record<string, unknown> = {}, query: Record<string, unknown> = {}, body: Record<string, unknown> = {};
    for (const [field, value] of Object.entries(input)) {
      const inQuery = takesBody === 'none' || (queryNames as readonly string[]).includes(field);
      (path.includes(`{${field}}`) ? pathParameters : inQuery ? query : body)[field] = value;
    }
    if (keyed === 'body') body.idempotency_key = idempotencyKey;

    const failure = (message: string, code: string, status: number, error?: Partial<ErrorBody>, cause?: unknown) => new B2BError(message, {
      code, status, idempotencyKey,
      details: error?.details ?? [],
      correlationId: error?.correlationId ?? correlationId,
      retryable: notDone.has(status) || (mayRepeat && (status === 0 || status === 500 || passing.has(status))),
    }, cause);
    const mayRepeat = method === 'get' || idempotencyKey !== undefined;
    const client = createClient<any>({ baseUrl: this.#options[service] });
    let answer: { data?: any; error?: any; response: Response }, status = 0;
    try {
      answer = await client.request(method, path as never, {
        params: { path: pathParameters, query },
        body: takesBody === 'required' || Object.keys(body).length > 0 ? body : undefined,
        headers: {
          ...call.headers,
          'X-Correlation-Id': correlationId,
          ...(keyed === 'header' ? { 'X-Idempotency-Key': idempotencyKey } : {}),
        },
        redirect: 'manual', // a POST that is redirected may arrive as a GET
        fetch: async (request: Request) => {
          const response = await this.#tries(request, mayRepeat, call);
          status = response.status;
          return response;
        },
      } as never);
    } catch (e) {
      if (e instanceof NoAnswer) throw failure(`${name}: no answer: ${e.cause}`, 'no_answer', 0, undefined, e.cause);
      if (e instanceof SyntaxError) throw failure(`${name}: the answer is not JSON`, 'unexpected_answer', status, undefined, e);
      throw e;
    }
    const { data, error, response } = answer;
    if (response.ok && data?.success === true) return { ...data, response, idempotencyKey };
    if (response.status === 304) throw failure(`${name}: it has not changed`, 'not_modified', 304);
    if (typeof error?.code !== 'string') throw failure(`${name}: HTTP status ${response.status} from somebody else`, 'unexpected_answer', response.status);
    throw failure(`${name}: ${error.error}`, error.code, response.status, { correlationId: response.headers.get('X-Correlation-Id') ?? undefined, ...error });
  }

  /** Sends the request until it has an answer that another try would not change, or the next try would begin after the deadline. */
  async #tries(request: Request, mayRepeat: boolean, call: AnyCall): Promise<Response> {
    const { token, fetch = globalThis.fetch, tryTimeout = 30_000, clock = realClock } = this.#options;
    const deadline = clock.now() + (call.deadline ?? this.#options.deadline ?? 60_000);
    for (let tried = 1; ; tried++) {
      if (token !== undefined) request.headers.set('Authorization', `Bearer ${typeof token === 'function' ? await token() : token}`);
      let answer: Response | undefined, cause: unknown;
      try {
        const timeout = AbortSignal.timeout(Math.max(1, Math.ceil(Math.min(tryTimeout, deadline - clock.now()))));
        answer = await fetch(request.clone(), { signal: call.signal ? AbortSignal.any([timeout, call.signal]) : timeout });
        await answer.clone().arrayBuffer(); // an answer that breaks off is none
        if (!passing.has(answer.status)) return answer;
      } catch (e) {
        call.signal?.throwIfAborted();
        answer = undefined;
        cause = e;
      }
      const wait = retryAfter(answer) + Math.random() * Math.min(5000, 100 * 2 ** tried);
      if (!mayRepeat || clock.now() + wait >= deadline) {
        if (answer) return answer;
        throw new NoAnswer('no answer', { cause });
      }
      await clock.sleep(wait, call.signal);
    }
  }
}

type AnyCall = { correlationId?: string; deadline?: number; signal?: AbortSignal; headers?: Record<string, string>; idempotencyKey?: string };

class NoAnswer extends Error {}

/** What may be over in a moment. */
const passing = new Set([429, 502, 503, 504]);

/** What says that nothing was done. */
const notDone = new Set([408, 429]);

/** Returns the milliseconds that an answer asks to wait. */
function retryAfter(answer?: Response): number {
  const value = answer?.headers.get('Retry-After');
  if (!value) return 0;
  const milliseconds = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return milliseconds > 0 ? milliseconds : 0;
}

/** Returns 128 random bits; crypto.randomUUID is not there on a page without TLS. */
function random(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const realClock: NonNullable<Options['clock']> = {
  now: () => performance.now(),
  sleep: (milliseconds, signal) => new Promise((resolve, reject) => {
    const abort = () => { clearTimeout(timer); reject(signal?.reason); };
    const timer = setTimeout(() => { signal?.removeEventListener('abort', abort); resolve(); }, milliseconds);
    signal?.addEventListener('abort', abort, { once: true });
  }),
};
