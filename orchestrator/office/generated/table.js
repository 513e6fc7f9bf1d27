import{html,useEffect,useRef}from"./vendor/htm-preact.js";import{explain}from"./errors.js";import{byKey,toHeading}from"./focus.js";import{at,filter,go,here}from"./router.js";import{t}from"./words.js";const left=new Map;export function Table({caption:e,columns:n,rows:s,href:o,selected:i,onSelect:a,row:r}){const l=useRef(null),c=useRef(-1);useEffect(()=>{const e=left.get(location.pathname+location.search),t=e&&l.current?.querySelector(`tbody a[href="${CSS.escape(e)}"]`);t instanceof HTMLElement&&document.activeElement?.matches("body, main, h1")&&t.focus()},[s.length>0]);const d=s.length>0&&s.every(e=>i?.has(e.id)),u=(e,t,n)=>{const o=new Set(i),r=n&&c.current>=0?c.current:e;for(const n of s.slice(Math.min(r,e),Math.max(r,e)+1))t?o.add(n.id):o.delete(n.id);c.current=e,a?.(o)},h=(e,t)=>{const n=e.target instanceof Element?e.target.closest("a, button, input, label, form, td, th"):null;if(!o||!n?.matches("td, th")||getSelection()?.toString())return;left.set(location.pathname+location.search,o(t)),go(o(t))};return html`<table ref=${l} class="list">
<caption class="unseen">${e}</caption>
<thead><tr>
${a&&html`<td class="check"><input type="checkbox" aria-label=${t("Select all on this page")} checked=${d}
onChange=${e=>a(new Set(e.target.checked?s.map(e=>e.id):[]))} /></td>`}
${n.map(e=>html`<th scope="col" class=${e.kind}>${e.title}</th>`)}
</tr></thead>
<tbody>${s.map((e,s)=>html`<tr key=${e.id} class=${r?.(e)} aria-selected=${a?i?.has(e.id):0[0]}
onClick=${t=>h(t,e)}>
${a&&html`<td class="check"><input type="checkbox" aria-label=${t("Select {id}",{id:e.id})} checked=${i?.has(e.id)}
onClick=${e=>u(s,e.target.checked,e.shiftKey)} /></td>`}
${n.map((t,n)=>n===0?html`<th scope="row" class=${t.kind}>${o?html`<a href=${o(e)} onClick=${()=>left.set(location.pathname+location.search,o(e))}>${t.cell(e)}</a>`:t.cell(e)}</th>`:html`<td class=${t.kind} data-title=${t.title}><bdi>${t.cell(e)}</bdi></td>`)}
</tr>`)}</tbody>
</table>`}export function walk(e){const t=[...document.querySelectorAll("main table.list tbody th a")],o=document.activeElement?.closest("tr"),n=t.findIndex(e=>e.closest("tr")===o),s=t[n<0?e>0?0:t.length-1:Math.max(0,Math.min(n+e,t.length-1))];return s?.focus(),s?.scrollIntoView({block:"nearest"}),t.length>0}export function Listing({list:e,filters:n={},nothing:s,all:o,counted:i,children:a}){const{data:r,error:d,loading:u,reload:f}=e,l=Object.entries(n).filter(([,e])=>e),{query:c}=here(),h=useRef(c.cursor);useEffect(()=>{h.current!==c.cursor&&document.activeElement?.matches("body, .pages a")&&toHeading(),h.current=c.cursor},[c.cursor]);const m=r&&(r.meta.nextCursor||c.cursor&&!r.all);return html`<div class="listing" aria-busy=${u}>
<${Bar} loading=${u} />
${d&&html`<${Problem} error=${d} again=${f} />`}
${r&&(r.data.length?a:html`<div class="empty" role="status">
${l.length?html`<p>${t(c.cursor?"There is nothing on this page.":"Nothing matches:")} ${l.map(([,e],t)=>html`${t>0&&", "}<strong>${e}</strong>`)}</p>
<p><button type="button" onClick=${()=>filter(Object.fromEntries(l.map(([e])=>e.split(" ")).flat().map(e=>[e,null])))}>${t("Show all")}</button></p>`:html`<p>${s}</p>`}
</div>`)}
${r?.data.length>0&&i&&html`<p class="quiet">${m?t("{n} on this page",{n:r.data.length}):i(r.data.length)}${r.all&&r.more&&` · ${t("no more are printed")}`}</p>`}
${m&&html`<p class="printed">${t("This is one page of a longer list.")} ${o&&t("The button “Print” prints all.")}</p>`}
${r&&(c.cursor||r.meta.nextCursor)&&html`<nav class="pages" aria-label=${t("Pages")}>
${c.cursor&&html`<a class="button" ...${byKey(",")} href=${at(here().path,{...c,cursor:null})}>${t("First page")}</a>`}
${r.meta.nextCursor&&html`<a class="button" rel="next" ...${byKey(".")} href=${at(here().path,{...c,cursor:r.meta.nextCursor})}>${t("Next page")}</a>`}
</nav>`}
</div>`}export const Bar=({loading:e})=>html`<div class="bar" role="status">${e&&html`<i></i><span class="unseen">${t("Loading")}</span>`}</div>`;export function Problem({error:e,again:n}){const[o,...s]=explain(e);return html`<div class="problem" role="alert">
<p>${o}</p>
${s.length>0&&html`<ul>${s.map(e=>html`<li>${e}</li>`)}</ul>`}
${n&&html`<p><button type="button" onClick=${n}>${t("Try again")}</button></p>`}
</div>`}export function Chip({parts:e,clears:t={},children:n}){const{path:i,query:s}=here(),o=Object.entries(e).every(([e,t])=>s[e]===t)&&Object.keys(t).every(t=>!s[t]||t in e),a=Object.fromEntries(Object.keys(e).map(e=>[e,null]));return html`<a class="chip" aria-current=${o?"true":0[0]} href=${at(i,{...s,cursor:null,...t,...o?a:e})}>${n}</a>`}