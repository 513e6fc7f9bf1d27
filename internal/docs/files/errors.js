// Shows the error codes that have all the words of the search, and their lines of the contents.
const search = document.getElementById('search'), none = document.getElementById('none')
const lines = [...document.querySelectorAll('#contents li')], sections = [...document.querySelectorAll('section')]

function find() {
  const words = search.value.toLowerCase().split(/\s+/)
  for (const [i, section] of sections.entries()) {
    const text = section.textContent.toLowerCase()
    section.hidden = lines[i].hidden = !words.every(word => text.includes(word))
  }
  none.hidden = sections.some(section => !section.hidden)
}

search.hidden = false
search.addEventListener('input', find)
addEventListener('hashchange', () => { // a link leads to a code that the search has left out
  search.value = ''
  find()
  document.getElementById(location.hash.slice(1))?.scrollIntoView()
})
