import{html,useEffect,useRef,useState}from"./vendor/htm-preact.js";import{api}from"./client.js";import{explain,isUnknown}from"./errors.js";import{Dialog,Form,Reason,useDraft}from"./form.js";import{at}from"./router.js";import{count,t}from"./words.js";const together=4;export function Bulk({action:e,orders:n,more:s,onClose:o,onStale:i}){const[r,p]=useState(new Map),a=useDraft("bulk",{reason:""}),[l,h]=useState("asking"),u=useRef(!1),c=e==="confirm",g=async e=>{const n=`${a.key}-${e}`;try{const s=a.values.reason.trim();return c?await api.confirmOrder({id:e},{idempotencyKey:n}):await api.cancelOrder({id:e,...s&&{reason:s}},{idempotencyKey:n}),{says:t(c?"confirmed":"canceled"),look:"good"}}catch(e){return isUnknown(e)?{says:t("Not known yet."),look:"unknown"}:{says:explain(e).join(" "),look:"bad"}}},m=async e=>{h("working");const t=[...e];await Promise.all(Array.from({length:together},async()=>{for(let e=t.shift();e!==0[0]&&!u.current;e=t.shift()){const n=await g(e),s=e;p(e=>new Map(e).set(s,n))}})),u.current?i():h("done")};useEffect(()=>()=>{u.current=!0,a.forget()},[]);const f=n.filter(({id:e})=>r.get(e)?.look==="unknown"),v=[...r.values()].filter(({look:e})=>e==="good").length,d=c?count(n.length,"Confirm 1 order","Confirm {n} orders"):count(n.length,"Cancel 1 order","Cancel {n} orders");return html`<${Dialog} title=${d} onClose=${o}>
${l==="asking"&&html`<${Form} label=${d} onSend=${()=>m(n.map(({id:e})=>e))}>
${s&&html`<p>${t("There are more: open this again for the next ones.")}</p>`}
${!c&&html`<${Reason} many value=${a.values.reason} onInput=${e=>a.change({reason:e})} />`}
<p class="buttons"><button class="first" disabled=${!n.length}>${d}</button><button type="button" autofocus=${c} onClick=${o}>${t("Close")}</button></p>
<//>`}
${l!=="asking"&&html`<p role="status">${t("{done} of {all} done",{done:v,all:n.length})}</p>
<progress max=${n.length} value=${r.size} aria-label=${d}></progress>
<ul class="answers">${n.map(({id:e})=>html`<li key=${e} class=${r.get(e)?.look}><a href=${at(`orders/${e}`)}>#${e}</a> ${r.get(e)?.says??"…"}</li>`)}</ul>
<p class="buttons">
${l==="done"&&f.length>0&&html`<button type="button" onClick=${()=>m(f.map(({id:e})=>e))}>${t("Send again what is not known")}</button>`}
<button type="button" onClick=${o}>${t(l==="done"?"Close":"Stop")}</button></p>`}
<//>`}