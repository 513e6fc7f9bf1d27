import{html,useRef,useState}from"../vendor/htm-preact.js";import{api,useLoad}from"../client.js";import{Combo}from"../combo.js";import{explain,explainDetail,isUnknown}from"../errors.js";import{cells,separatorOf}from"../file.js";import{findCustomers,findProducts}from"../find.js";import{begin}from"../focus.js";import{Field,Form,Outcome,random,useDraft,useSend}from"../form.js";import{at,go}from"../router.js";import{Bar}from"../table.js";import{count,money,number,t}from"../words.js";const newLine=(e="",t="")=>({id:random(),sku:e,qty:t}),most=100,pieces=e=>/^\d{1,7}$/.test(e.trim())?Number(e):NaN;export function NewOrder(){const[v,O]=useState(""),s=useDraft("new-order",{customer:0,customerName:"",reference:"",lines:[newLine()]}),{customer:i,customerName:_,reference:p,lines:l}=s.values,d=l.filter(e=>e.sku.trim()||e.qty.trim()),u=d.filter(e=>e.sku.trim()&&pieces(e.qty)>0),[j,y]=useState(0),a=u.map(e=>({sku:e.sku.trim(),qty:pieces(e.qty)})),f=JSON.stringify(i&&a.length?{customer_id:i,items:a}:null),e=useQuote(f),m=useRef(null),c=useSend(async t=>{const n=await api.createOrder({customer_id:i,items:a,...p.trim()&&{external_ref:p.trim()},...e.data&&e.of===f&&{expected_total_cents:e.data.total_cents}},{idempotencyKey:t});return b.current&&await api.confirmOrder({id:n.data.id},{idempotencyKey:t}).catch(e=>{if(isUnknown(e))throw e}),n},s,({data:e})=>{s.forget(),go(at(`orders/${e.id}`))}),b=useRef(!1),w=e=>{if(!i)return h("input[name=customer]");const t=d.find(e=>!u.includes(e));if(O(t?.id??""),t)return o(l.indexOf(t),t.sku.trim()?"qty":"sku");if(!a.length)return h("input[name=sku]");b.current=e?.getAttribute("name")==="confirm",c.send()},h=e=>begin(m.current?.querySelector(e)),r=e=>s.change(({lines:t})=>{const o=e(t),n=o.filter((e,t)=>e.sku||e.qty||t===o.length-1),s=n.at(-1),i=s&&!s.sku&&!s.qty||n.length===most;return{lines:i?n:[...n,newLine()]}}),g=(e,t)=>s.change(({lines:n})=>({lines:n.map(n=>n.id===e?{...n,...t}:n)})),o=(e,t)=>{const n=`[data-line="${e}"] input[name=${t}]`;m.current?.querySelector(n)?h(n):setTimeout(()=>h(n))},x=e=>{if(e.key!=="Enter"||e.ctrlKey||e.metaKey||e.defaultPrevented||!(e.target instanceof HTMLInputElement))return;e.preventDefault();const t=Number(e.target.closest("[data-line]")?.getAttribute("data-line")??-1);if(e.target.name==="sku")return o(t,"qty");e.target.name==="qty"&&r(e=>e),o(t+1,"sku")},C=(e,t)=>{const n=e.clipboardData?.getData("text/plain")??"";if(!/[\t\n]/.test(n.trim()))return;e.preventDefault();const s=cells(n,n.includes("	")?"	":separatorOf(n)).map(([e="",t=""])=>newLine(e.trim(),t.trim())).filter(e=>e.sku||e.qty),i=d.filter(e=>e!==l[t]).length+s.length;if(y(i>most?i:0),i>most)return;r(e=>[...e.slice(0,t),...s,...e.slice(t+1)]),o(Math.min(t+s.length,most-1),"sku")},E=(e,t)=>{r(t=>t.filter(t=>t.id!==e)),o(t?t-1:1,"sku")},n=e.error||!a.length?0[0]:e.data,k=()=>{const e=[...n?.fillable?.items??[]];r(t=>t.flatMap(t=>{if(!u.includes(t))return[t];const n=e.findIndex(({sku:e})=>e===t.sku.trim());return n<0?[]:[{...t,qty:String(e.splice(n,1)[0].qty)}]}))},A=t=>e.error?.details?.filter(e=>e.field.startsWith(`/items/${u.indexOf(t)}/`))??[];return html`<h1>${t("New order")}</h1>
<${Form} label=${t("New order")} class="new-order" onSend=${w}>
<div ref=${m} class="columns" onKeyDown=${x}>
<div>
<div class="pair">
<${Combo} label=${t("Customer")} name="customer" text=${_} find=${findCustomers} placeholder=${t("a part of the name or email")} next=${()=>o(0,"sku")} required autofocus aria-invalid=${!!(!i&&_)||0[0]}
onText=${e=>s.change({customerName:e,customer:0})}
onPick=${(e,t)=>{s.change({customer:Number(e.value),customerName:e.text}),t&&o(0,"sku")}} />
<${Field} label=${t("Reference (optional)")} name="reference" value=${p} maxlength="100" onInput=${e=>s.change({reference:e})} />
</div>
<div role="group" aria-label=${t("Lines")} class="entry">
${l.map((e,s)=>{const i=n?.items.find(t=>t.sku===e.sku.trim()),c=n?.shortages.find(t=>t.sku===e.sku.trim()),l=d.includes(e)&&(e.qty||e.id===v)&&!(pieces(e.qty)>0),u=e.id===v&&e.qty.trim()&&!e.sku.trim(),h={field:"/sku",message:"",params:{rule:"required"}},a=u?[h]:A(e),m=c||l||a.length?"line wrong":"line";return html`<div class=${m} data-line=${s} key=${e.id}>
<${Combo} label=${t("SKU")} name="sku" unlabeled=${s>0} text=${e.sku} find=${findProducts} placeholder=${s?"":t("SKU or a part of the name")} aria-invalid=${!!a.length||0[0]}
next=${()=>o(s,"qty")} onText=${t=>g(e.id,{sku:t})} onPaste=${e=>C(e,s)}
onPick=${(t,n)=>{g(e.id,{sku:t.value}),n&&o(s,"qty")}} />
<label class="field pieces"><span class=${s?"unseen":""}>${t("Quantity")}</span><input name="qty" inputmode="numeric" autocomplete="off" value=${e.qty} aria-invalid=${!!l||0[0]}
onInput=${t=>g(e.id,{qty:t.target.value})}
onBlur=${()=>r(e=>e)} /></label>
<button type="button" class="plain remove" aria-label=${t("Remove line {n}",{n:s+1})}
hidden=${!e.sku&&!e.qty} onClick=${()=>E(e.id,s)}>×</button>
${(i||c||l||a.length>0)&&html`<small class="says">${l?t("Quantity must be a whole number above 0."):a.length?explainDetail(a[0]):html`${c&&html`<strong>${t("only {n} in stock",{n:number(c.available)})}</strong> · `}${i&&`${money(i.unit_price_cents)} × ${number(i.qty)} = ${money(i.subtotal_cents)}`}`}</small>`}
</div>`})}
</div>
${j>0&&html`<p class="bad" role="alert">
${t("An order has {most} lines at most, and these would be {n}: nothing was pasted.",{most,n:number(j)})}</p>`}
<p class="quiet unprinted">${t("SKU, Tab, quantity, Enter. Two columns of a spreadsheet can be pasted into a SKU.")}</p>
</div>
<aside aria-label=${t("Quote")} class="quote" aria-live="polite">
<h2>${t("Quote")}</h2><${Bar} loading=${e.loading} />
${i?a.length?"":html`<p class="quiet">${t("Give a SKU and a quantity.")}</p>`:html`<p class="quiet">${t("Choose a customer to see prices.")}</p>`}
${e.error&&html`<p class="bad">${explain(e.error)[0]}</p>`}
${n&&html`<p class="total">${money(n.total_cents)}</p><p>${count(n.items.length,"1 product","{n} products")}, ${count(n.items.reduce((e,t)=>e+t.qty,0),"1 piece","{n} pieces")}</p>
${n.shortages.length>0?html`<div class="problem"><p>${t("Not enough in stock:")}</p><ul>${n.shortages.map(e=>html`<li><bdi>${e.sku}</bdi>: ${t("{available} of {requested}",{available:number(e.available),requested:number(e.requested)})}</li>`)}</ul>
${n.fillable&&html`<p><button type="button" disabled=${e.of!==f}
onClick=${k}>${t("Order what is there")}</button></p>`}</div>`:html`<p class="good">${t("Everything is in stock.")}</p>`}`}
<p class="buttons"><button class="first" name="save">${t("Save")}</button><button name="confirm">${t("Save and confirm")}</button>
<button type="button" class="plain"
disabled=${c.phase==="sending"||c.phase==="unknown"}
onClick=${()=>{s.renew(),c.clear(),y(0)}}>${t("Clear")}</button></p>
<${Outcome} sending=${c} draft=${s} />
</aside>
</div><//>`}function useQuote(e){const n=()=>new Promise(e=>setTimeout(e,200)),{data:t,error:s,loading:o}=useLoad("quote "+e,async t=>{const s=JSON.parse(e);return s?(await n(),t.aborted?null:{of:e,quote:(await api.quoteOrder(s,{signal:t})).data}):null});return{data:t?.quote,of:t?.of,error:s,loading:o&&e!=="null"}}