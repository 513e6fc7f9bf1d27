import { files, operations, shapes } from './generated/operations.js';
/** Why a call failed: a service refused it, or none answered. */
export class B2BError extends Error {
    name = 'B2BError';
    /** For your program; see the service's list of error codes. `no_answer` when no answer came, `not_modified` for a 304, `unexpected_answer` when an answer is not one of the document: somebody else's, or a success that cannot be read. */
    code;
    /** The HTTP status; 0 when no answer came. */
    status;
    /** Which field is wrong, and what is wrong with it. */
    details;
    /** Names the call in the logs of every service. */
    correlationId;
    /** Whether the same call, with `idempotencyKey` when it has one, may succeed later and can do nothing twice. */
    retryable;
    /** The key that the call was made with, to repeat it or to ask what became of it; undefined when the operation takes none. */
    idempotencyKey;
    constructor(message, facts, cause) {
        super([`${message} (${facts.code})`, ...facts.details.map(({ field, message }) => `${field} ${message}`)].join('; '), { cause });
        this.code = facts.code;
        this.status = facts.status;
        this.details = facts.details;
        this.correlationId = facts.correlationId;
        this.retryable = facts.retryable;
        this.idempotencyKey = facts.idempotencyKey;
    }
}
/**
 * The services. Each operation of their documents is a method, which takes its parameters and the fields of its body in one
 * object: `b2b.cancelOrder({ id: 5, reason: 'a typo' })`. It resolves with the answer, or rejects with a B2BError. A list is its
 * first page when it is awaited, and all of its things when it is iterated: `for await (const order of b2b.listOrders())`. An export
 * is iterated, too; an import takes the rows and resolves with its summary.
 *
 * A read, and a write that has an idempotency key, is tried again after a connection error, the time-out of a try, 429, 502, 503
 * and 504, as long as the deadline allows. A write without a key is sent once.
 */
export class B2B {
    #options;
    constructor(options) {
        this.#options = options;
        for (const name of Object.keys(operations)) {
            Object.defineProperty(this, name, { value: (input, call) => this.#listed(name, { ...input }, { ...call }) });
        }
        for (const name of Object.keys(files)) {
            Object.defineProperty(this, name, {
                value: files[name].method === 'get'
                    ? (input, call) => this.#export(name, { ...input }, { ...call })
                    : (rows, input, call) => this.#import(name, rows, { ...input }, { ...call }),
            });
        }
    }
    /**
     * Iterates over the events after a position, and waits for new events: `for await (const event of b2b.followEvents({ after }))`. Store
     * `event.position` with the result of your work on the event, and begin again after the last stored position. When the service does
     * not answer, the iterator tries again. A B2BError with the code `events_expired` says that events after the position were deleted:
     * make your copy anew from the exports, and go on from the smallest `X-Event-Position` of their answers. The exports of this class
     * yield only rows: read this header in a `fetch` of your own, an option of B2B.
     *
     * `onPosition` is called, and awaited, with each position up to which all events have been read, even if none of them was yielded.
     * Store this position, too, when you ask for rare `types` or the token is a partner's: otherwise the position of your last event may
     * be so old, when you begin again, that events after it were deleted.
     */
    async *followEvents({ after, types }, { onPosition, ...options } = {}) {
        const { clock = realClock } = this.#options;
        checkFunction('onPosition', onPosition);
        for (;;) {
            let page;
            try {
                page = await this.listEvents({ after, limit: 1000, wait: '20s', ...(types === undefined ? {} : { types }) }, options);
            }
            catch (e) {
                if (!(e instanceof B2BError) || !e.retryable)
                    throw e;
                await clock.sleep(1000, options.signal);
                continue;
            }
            const next = page.meta.next_after;
            if (next < after || (next === after && page.data.length > 0))
                throw endless(`listEvents: next_after is ${next} after ${after}`, page);
            yield* page.data;
            if (next === after)
                continue;
            after = next;
            await onPosition?.(after);
        }
    }
    #listed(name, input, call) {
        let whole = {}; // of an iteration: the longest pages
        const first = Promise.resolve().then(() => this.#call(name, { ...whole, ...input }, call));
        const each = async function* () {
            const cursors = new Set();
            for (let page = await first;; page = await this.#call(name, { ...whole, ...input, cursor: page.meta.nextCursor }, call)) {
                yield* page.data;
                const cursor = page.meta.nextCursor;
                if (cursor === null)
                    return;
                if (cursors.has(cursor) || cursor === input.cursor)
                    throw endless(`${name}: the cursor ${cursor} repeats`, page);
                cursors.add(cursor);
            }
        };
        return Object.assign(first, {
            [Symbol.asyncIterator]: () => {
                const { limit } = operations[name];
                if (limit)
                    whole = { limit };
                return each.call(this);
            },
        });
    }
    async #call(name, input, options) {
        const { path, query: queryNames, body: takesBody, key: keyed, status, answer: shape } = operations[name];
        let idempotencyKey;
        if (keyed !== 'none')
            idempotencyKey = options.idempotencyKey ?? (keyed === 'body' ? input.idempotency_key : undefined) ?? random();
        else if (options.idempotencyKey !== undefined)
            throw new TypeError(`${name} takes no idempotency key`);
        const pathParameters = {}, query = {}, body = {};
        for (const [field, value] of Object.entries(input)) {
            const inQuery = takesBody === 'none' || queryNames.includes(field);
            (path.includes(`{${field}}`) ? pathParameters : inQuery ? query : body)[field] = value;
        }
        if (keyed === 'body')
            body.idempotency_key = idempotencyKey;
        const call = new Call(this.#options, name, operations[name], options, idempotencyKey);
        const content = takesBody === 'required' || Object.keys(body).length > 0 ? json(body) : undefined;
        const request = call.request(pathParameters, query, content, {
            ...(content === undefined ? {} : { 'Content-Type': 'application/json' }),
            ...options.headers,
            ...(keyed === 'header' ? { 'X-Idempotency-Key': idempotencyKey } : {}),
        });
        const { response, content: received } = await call.tries(request, async (response) => ({ response, content: new Uint8Array(await response.arrayBuffer()) }));
        if (response.status !== status)
            throw call.refusal(response, received);
        let read;
        try {
            if (mediaType(response) !== 'application/json')
                throw new TypeError('its content type is not application/json');
            read = parse(received);
            if (!isObject(read))
                throw new TypeError('it is no object');
        }
        catch (e) {
            throw call.unread(response, e);
        }
        if (read.success !== true)
            throw call.refusal(response, received);
        if (!fits(read, shape))
            throw call.unread(response, new TypeError(`it is no ${shape}`));
        return { ...read, response, idempotencyKey, correlationId: response.headers.get('X-Correlation-Id') || call.correlationId };
    }
    async *#export(name, input, options) {
        const call = new Call(this.#options, name, files[name], options);
        yield* call.lines(await call.tries(call.request({}, input), stream));
    }
    async #import(name, rows, input, options) {
        const call = new Call(this.#options, name, files[name], options);
        checkFunction('onRow', options.onRow);
        const sent = [], parts = [];
        for await (const row of rows)
            parts.push(`${json(row, `rows[${sent.push(row) - 1}]`)}\n`);
        const body = new Blob(parts);
        const request = call.request({}, input, body, { 'Content-Type': 'application/x-ndjson' });
        const slowest = body.size / 6.5536; // in milliseconds: the services take no file that comes slower than 64 KiB in 10 s
        const answer = await call.tries(request, stream, slowest);
        let summary;
        for await (const line of call.lines(answer)) {
            summary = line.summary ?? summary;
            const row = sent[(line.row ?? 0) - 1];
            if (row)
                await options.onRow?.(row, line);
        }
        if (!summary)
            throw call.unread(answer.response, new TypeError('it has no summary: repeat the call, what is done already is unchanged'));
        if (!summary.complete) {
            const said = answer.response.headers.get('X-Correlation-Id');
            throw call.failure(summary.error ?? 'not all rows were read', summary.code ?? 'unexpected_answer', 200, { said });
        }
        return summary;
    }
}
/** Returns the error of an answer that would make an iteration endless. */
function endless(message, { correlationId }) {
    return new B2BError(message, { code: 'unexpected_answer', status: 200, details: [], correlationId, retryable: false, idempotencyKey: undefined });
}
/** One call: makes its request, sends it until its answer stands, and says what went wrong. */
class Call {
    options;
    name;
    facts;
    call;
    idempotencyKey;
    correlationId;
    #mayRepeat;
    #base;
    constructor(options, name, facts, call, idempotencyKey) {
        this.options = options;
        this.name = name;
        this.facts = facts;
        this.call = call;
        this.idempotencyKey = idempotencyKey;
        const odd = Object.keys(call).find((option) => !callOptions.has(option)); // idempotency_key would place an order under another key
        if (odd !== undefined)
            throw new TypeError(`${name} has no option ${odd}; it may be ${[...callOptions].join(', ')}`);
        checkFunction('fetch', options.fetch);
        for (const [option, value] of [['deadline', call.deadline], ['deadline', options.deadline], ['tryTimeout', options.tryTimeout]]) {
            if (value == null || (typeof value === 'number' && !Number.isNaN(value)))
                continue;
            throw new TypeError(`the option ${option} is ${String(value)}; it must be a number of milliseconds`);
        }
        this.#base = base(name, facts.service, options[facts.service]);
        this.correlationId = call.correlationId ?? random();
        this.#mayRepeat = facts.method === 'get' || idempotencyKey !== undefined;
    }
    request(path, query, body, headers) {
        const at = this.facts.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(text(name, path[name])));
        const pairs = Object.entries(query).filter(([, value]) => value !== undefined).map(([name, value]) => [name, text(name, value)]);
        return new Request(this.#base + at + (pairs.length ? `?${new URLSearchParams(pairs)}` : ''), {
            method: this.facts.method.toUpperCase(), body: body ?? null, headers: { ...headers, 'X-Correlation-Id': this.correlationId },
            redirect: 'manual', // a POST that is redirected may arrive as a GET
        });
    }
    /**
     * Sends the request until it has an answer that another try would not change, or the next try would begin after the deadline. A
     * try ends when its answer has been read; slowest are the milliseconds that it may take longer.
     */
    async tries(request, read, slowest = 0) {
        const { fetch = globalThis.fetch, tryTimeout = 30_000, clock = realClock } = this.options;
        const { signal } = this.call;
        const deadline = clock.now() + (this.call.deadline ?? this.options.deadline ?? 60_000);
        for (let tried = 1;; tried++) {
            await this.#authorize(request);
            let answer, cause;
            const ends = new Timeout(tryTimeout, signal);
            try {
                ends.begin(Math.max(1, Math.ceil(Math.min(tryTimeout, deadline - clock.now()))) + slowest);
                answer = await read(await fetch(request.clone(), { signal: ends.signal }), ends); // an answer that breaks off is none
                if (!answer.ends)
                    ends.over();
                if (!passing.has(answer.response.status))
                    return answer;
            }
            catch (e) {
                ends.over();
                this.#throwIfEnded();
                answer = undefined;
                cause = e;
            }
            ends.over();
            const wait = retryAfter(answer?.response) + Math.random() * Math.min(5000, 100 * 2 ** tried);
            if (!this.#mayRepeat || clock.now() + wait >= deadline) {
                if (answer)
                    return answer;
                throw this.unanswered(cause);
            }
            try {
                await clock.sleep(wait, signal);
            }
            catch (e) {
                this.#throwIfEnded();
                throw e;
            }
        }
    }
    /** Gives a request its token. A B2BError says that there is none: an earlier try may have done the work. */
    async #authorize(request) {
        const { token } = this.options;
        if (token === undefined)
            return;
        let given;
        try {
            given = typeof token === 'function' ? await token() : token;
        }
        catch (e) {
            this.#throwIfEnded();
            throw this.failure(`no token: ${String(e)}`, 'no_answer', 0, {}, e);
        }
        try {
            request.headers.set('Authorization', `Bearer ${given}`);
        }
        catch { // an error that shows the token
            throw this.failure('no token: it has characters that no header may have', 'no_answer', 0);
        }
    }
    /** Throws when the caller has ended the call: the reason, or of a call with a key a B2BError. */
    #throwIfEnded() {
        const { signal } = this.call;
        if (!signal?.aborted)
            return;
        if (this.idempotencyKey === undefined)
            throw signal.reason;
        throw this.failure(`the call was ended: ${String(signal.reason)}`, 'no_answer', 0, {}, signal.reason);
    }
    /** Reads an answer of one JSON object a line, as its parts arrive. */
    async *lines({ response, content, ends }) {
        if (!ends)
            throw response.status === 200 ? this.unread(response, new TypeError('its content type is not application/x-ndjson')) : this.refusal(response, content);
        const reader = response.body.getReader();
        let parts = [];
        try {
            for (;;) {
                const { done, value } = await reader.read().catch((e) => {
                    this.#throwIfEnded();
                    throw this.unanswered(e);
                });
                if (done)
                    break;
                ends.begin();
                let from = 0;
                for (let at = value.indexOf(10); at >= 0; from = at + 1, at = value.indexOf(10, from)) {
                    parts.push(value.subarray(from, at));
                    const line = this.#line(response, parts);
                    parts = [];
                    ends.over(); // the caller may take its time
                    yield line;
                    ends.begin();
                }
                parts.push(value.slice(from));
            }
            if (parts.some((part) => part.length))
                throw this.unread(response, new TypeError('its last line is cut'));
        }
        finally {
            ends.over();
            reader.cancel().catch(() => { }); // of a caller who has seen enough
        }
    }
    #line(response, parts) {
        const line = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
        parts.reduce((at, part) => (line.set(part, at), at + part.length), 0);
        try {
            const read = parse(line);
            if (fits(read, this.facts.answer))
                return read;
        }
        catch (e) {
            throw this.unread(response, e);
        }
        throw this.unread(response, new TypeError(`a line is no ${this.facts.answer}`));
    }
    /** Returns the error of an answer that is no success. */
    refusal(response, content) {
        const { status } = response, said = response.headers.get('X-Correlation-Id');
        if (status === 304)
            return this.failure('it has not changed', 'not_modified', status, { said });
        let body;
        try {
            body = parse(content);
        }
        catch {
            // it is somebody else's
        }
        if (!isObject(body) || typeof body.code !== 'string' || body.code === '') {
            return this.failure(`HTTP status ${status} from somebody else`, 'unexpected_answer', status, { said });
        }
        const details = (Array.isArray(body.details) ? body.details : [])
            .map((detail) => (isObject(detail) && detail.params === null ? { ...detail, params: undefined } : detail))
            .filter((detail) => fits(detail, 'ApiErrorDetail'));
        return this.failure(typeof body.error === 'string' ? body.error : `HTTP status ${status}`, body.code, status, {
            details, said: said || (typeof body.correlationId === 'string' ? body.correlationId : null),
        });
    }
    /** Returns the error of a call without an answer. Node's fetch says only in the cause of its error what is wrong. */
    unanswered(cause) {
        const why = cause?.cause && (cause.cause.message || cause.cause.code);
        return this.failure(`no answer from ${this.options[this.facts.service]}: ${cause}${why ? `: ${why}` : ''}`, 'no_answer', 0, {}, cause);
    }
    /** Returns the error of a success that cannot be read. */
    unread(response, cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        return this.failure(`the success cannot be read: ${why}`, 'unexpected_answer', response.status, { said: response.headers.get('X-Correlation-Id') }, cause);
    }
    failure(message, code, status, { details = [], said = null } = {}, cause) {
        return new B2BError(`${this.name}: ${message}`, {
            code, status, details, idempotencyKey: this.idempotencyKey, correlationId: said || this.correlationId,
            retryable: notDone.has(status) || (this.#mayRepeat && (status === 0 || status === 500 || passing.has(status))),
        }, cause);
    }
}
async function stream(response, ends) {
    if (response.status === 200 && mediaType(response) === 'application/x-ndjson')
        return { response, ends };
    return { response, content: new Uint8Array(await response.arrayBuffer()) };
}
/** What setTimeout can wait, in milliseconds: 24 days. It would not wait at all for longer. */
const longest = 2_147_483_647;
/** Ends a try when its time is over, or the caller's signal says so. */
class Timeout {
    usual;
    #controller = new AbortController();
    #timer;
    signal;
    constructor(usual, signal) {
        this.usual = usual;
        this.signal = signal ? AbortSignal.any([this.#controller.signal, signal]) : this.#controller.signal;
    }
    begin(milliseconds = this.usual) {
        this.over();
        this.#timer = setTimeout(() => {
            this.#controller.abort(new DOMException('the answer did not arrive in time', 'TimeoutError'));
        }, Math.min(milliseconds, longest));
    }
    over() {
        clearTimeout(this.#timer);
    }
}
/**
 * Returns the address of a service without slashes at its end; on a page it may be relative. Throws a TypeError,
 * which names the option, when the address is missing or none.
 */
function base(call, service, address) {
    if (address === undefined)
        throw new TypeError(`${call} needs the option ${service}`);
    try {
        const base = address.replace(/\/+$/, '');
        if (/^https?:/.test(new Request(`${base}/`).url))
            return base;
    }
    catch {
        // it is no text, or no address
    }
    throw new TypeError(`the option ${service} is ${address === '' ? 'empty' : String(address)}; it must be an address such as https://orders.example.com`);
}
/**
 * Throws a TypeError for what is given as a function and is none. Without this check, the error would come after
 * a request.
 */
function checkFunction(option, value) {
    if (value === undefined || value === null || typeof value === 'function')
        return;
    throw new TypeError(`the option ${option} is ${String(value)}; it must be a function`);
}
/** The options of a call. */
const callOptions = new Set(['idempotencyKey', 'correlationId', 'deadline', 'signal', 'headers', 'onRow']);
/** What may be over in a moment. */
const passing = new Set([429, 502, 503, 504]);
/** What says that nothing was done. */
const notDone = new Set([408, 429]);
/** Returns a parameter as it is sent. Throws when it is none: one that is left out would mean everything. */
function text(name, value) {
    if (value instanceof Date)
        return value.toISOString();
    if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint' || Number.isFinite(value))
        return String(value);
    throw new TypeError(`${name} cannot be ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`);
}
/**
 * Writes JSON. Throws a TypeError that names the path of a number or a Date that JSON lacks: it would be
 * written as null, and an optional field that is null is none. The parameter at is the path of the value.
 */
function json(value, at = '') {
    const paths = new Map();
    return JSON.stringify(value, function (name, each) {
        const given = this[name];
        const odd = given instanceof Date ? each === null : typeof each === 'number' && !Number.isFinite(each);
        if (!odd && (typeof each !== 'object' || each === null))
            return each;
        const above = paths.get(this);
        let path = at;
        if (above !== undefined && /^[a-z_]\w*$/i.test(name))
            path = above ? `${above}.${name}` : name;
        else if (above !== undefined)
            path = `${above}[${Array.isArray(this) ? name : JSON.stringify(name)}]`;
        if (odd)
            throw new TypeError(`${path} cannot be ${String(given)}`);
        paths.set(each, path);
        return each;
    });
}
function mediaType(response) {
    return (response.headers.get('Content-Type') ?? '').split(';')[0].trim().toLowerCase();
}
/** Reads JSON. Throws when it is none, or not UTF-8. */
function parse(content) {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content));
}
function isObject(value) {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
}
/** Reports whether a part of an answer is of the shape that its document says. */
function fits(value, shape) {
    if (Array.isArray(shape))
        return Array.isArray(value) && value.every((each) => fits(each, shape[0]));
    if (typeof shape === 'object') {
        return isObject(value) && Object.entries(shape).every(([name, of]) => {
            const field = value[name.replace('?', '')];
            return field === undefined ? name.endsWith('?') : fits(field, of);
        });
    }
    if (shape.endsWith('?'))
        return value === null || fits(value, shape.slice(0, -1));
    switch (shape) {
        case 'integer': return Number.isSafeInteger(value);
        case 'object': return isObject(value);
        case 'time': return typeof value === 'string' && !Number.isNaN(Date.parse(value));
        default: return shape in shapes ? fits(value, shapes[shape]) : typeof value === shape;
    }
}
/** Returns the milliseconds that an answer asks to wait. */
function retryAfter(answer) {
    const value = answer?.headers.get('Retry-After');
    if (!value)
        return 0;
    const milliseconds = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
    return milliseconds > 0 ? milliseconds : 0;
}
/** Returns 128 random bits; crypto.randomUUID is not there on a page without TLS. */
function random() {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
const realClock = {
    now: () => performance.now(),
    sleep: (milliseconds, signal) => new Promise((resolve, reject) => {
        const abort = () => { clearTimeout(timer); reject(signal?.reason); };
        const over = () => { signal?.removeEventListener('abort', abort); resolve(); };
        const timer = setTimeout(over, Math.min(milliseconds, longest));
        if (signal?.aborted)
            return abort();
        signal?.addEventListener('abort', abort, { once: true });
    }),
};
/** Why `verifyWebhook` refuses a request: nobody of the services has sent it, or it is not of now. */
export class WebhookError extends Error {
    name = 'WebhookError';
}
/**
 * Checks the signature and the time of a webhook, and resolves with its message, or rejects with a WebhookError. The key is the
 * endpoint's secret (`whsec_…`), or its public key (`whpk_…`). The names of the headers may be in any case. The body must be what has
 * arrived, byte for byte: not JSON that was read and written again. A message may arrive more than once, always with the same header
 * `webhook-id`.
 */
export async function verifyWebhook(key, headers, body) {
    const given = headers instanceof Headers ? headers.entries() : Object.entries(headers);
    const named = new Map([...given].map(([name, value]) => [name.toLowerCase(), [value].flat()[0]]));
    const header = (name) => named.get(name) ?? '';
    const id = header('webhook-id'), stamp = header('webhook-timestamp');
    if (!id || !/^\d+$/.test(stamp))
        throw new WebhookError('webhook-id or webhook-timestamp is missing');
    if (Math.abs(Date.now() / 1000 - Number(stamp)) > 300)
        throw new WebhookError('it is not of now');
    const content = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    const begin = new TextEncoder().encode(`${id}.${stamp}.`);
    const signed = new Uint8Array(begin.length + content.length);
    signed.set(begin);
    signed.set(content, begin.length);
    const isPublic = key.startsWith('whpk_');
    const algorithm = isPublic ? { name: 'Ed25519' } : { name: 'HMAC', hash: 'SHA-256' };
    const raw = fromBase64(key.replace(/^wh(sec|pk)_/, ''));
    if (!raw?.length)
        throw new TypeError('the key must be the secret of the endpoint (whsec_…), or its public key (whpk_…)');
    const imported = await crypto.subtle.importKey('raw', raw, algorithm, false, ['verify']);
    for (const signature of header('webhook-signature').split(' ')) {
        const [version, encoded = ''] = signature.split(',');
        const bytes = version === (isPublic ? 'v1a' : 'v1') ? fromBase64(encoded) : undefined;
        if (bytes && await crypto.subtle.verify(algorithm, imported, bytes, signed)) {
            try {
                return parse(content);
            }
            catch (e) {
                throw new WebhookError(`its body is no JSON: ${e}`);
            }
        }
    }
    throw new WebhookError('no signature is of this key');
}
function fromBase64(text) {
    try {
        return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    }
    catch {
        return undefined;
    }
}
