import{html,useEffect,useRef,useState}from"./vendor/htm-preact.js";import{api}from"./client.js";import{explain,isUnknown}from"./errors.js";import{Dialog,Form,Reason,useDraft}from"./form.js";import{at}from"./router.js";import{count,t}from"./words.js";const together=4;export function Bulk({action:e,orders:n,more:s,onClose:o}){const[a,f]=useState(new Map),i=useDraft("bulk",{reason:""}),[c,d]=useState("asking"),u=useRef(!1),r=e==="confirm",p=async e=>{const n=`${i.key}-${e}`;try{const s=i.values.reason.trim();return r?await api.confirmOrder({id:e},{idempotencyKey:n}):await api.cancelOrder({id:e,...s&&{reason:s}},{idempotencyKey:n}),{says:t(r?"confirmed":"canceled"),look:"good"}}catch(e){return isUnknown(e)?{says:t("Not known yet."),look:"unknown"}:{says:explain(e).join(" "),look:"bad"}}},h=async e=>{d("working");const t=[...e];await Promise.all(Array.from({length:together},async()=>{for(let e=t.shift();e!==0[0]&&!u.current;e=t.shift()){const n=await p(e),s=e;f(e=>new Map(e).set(s,n))}})),d("done")};useEffect(()=>()=>{u.current=!0,i.forget()},[]);const m=n.filter(({id:e})=>a.get(e)?.look==="unknown"),g=[...a.values()].filter(({look:e})=>e==="good").length,l=r?count(n.length,"Confirm 1 order","Confirm {n} orders"):count(n.length,"Cancel 1 order","Cancel {n} orders");return html`<${Dialog} title=${l} onClose=${o}>
${c==="asking"&&html`<${Form} label=${l} onSend=${()=>h(n.map(({id:e})=>e))}>
${s&&html`<p>${t("There are more: open this again for the next ones.")}</p>`}
${!r&&html`<${Reason} value=${i.values.reason} onInput=${e=>i.change({reason:e})} />`}
<p class="buttons"><button class="first" disabled=${!n.length}>${l}</button><button type="button" autofocus=${r} onClick=${o}>${t("Close")}</button></p>
<//>`}
${c!=="asking"&&html`<p role="status">${t("{done} of {all} done",{done:g,all:n.length})}</p>
<progress max=${n.length} value=${a.size} aria-label=${l}></progress>
<ul class="answers">${n.map(({id:e})=>html`<li key=${e} class=${a.get(e)?.look}><a href=${at(`orders/${e}`)}>#${e}</a> ${a.get(e)?.says??"…"}</li>`)}</ul>
<p class="buttons">
${c==="done"&&m.length>0&&html`<button type="button" onClick=${()=>h(m.map(({id:e})=>e))}>${t("Send again what is not known")}</button>`}
<button type="button" onClick=${o}>${t(c==="done"?"Close":"Stop")}</button></p>`}
<//>`}