// Compiles the style sheet and gathers scripts and fonts into the static folder.
// Usage: node build.mjs <node_modules> <sources> <output>
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const [modules, sources, output] = process.argv.slice(2)
const sass = createRequire(join(modules, 'index.js'))('sass')

const style = sass.compile(join(sources, 'earlyflag.scss'), {
  loadPaths: [modules, dirname(modules), sources],
  style: 'compressed',
  quietDeps: true,
})
mkdirSync(join(output, 'fonts'), { recursive: true })
writeFileSync(join(output, 'earlyflag.css'), style.css)

const typeface = join(modules, '@fontsource/atkinson-hyperlegible')
for (const weight of [400, 700]) {
  for (const shape of ['normal', 'italic']) {
    const name = `atkinson-hyperlegible-latin-${weight}-${shape}.woff2`
    copyFileSync(join(typeface, 'files', name), join(output, 'fonts', name))
  }
}
copyFileSync(join(typeface, 'LICENSE'), join(output, 'fonts', 'LICENSE'))

// Only the icons that the style sheet asks for: the folder also holds crests
mkdirSync(join(output, 'images'), { recursive: true })
for (const [, name] of style.css.matchAll(/url\(images\/([\w-]+\.svg)\)/g)) {
  const from = join(modules, '@ministryofjustice/frontend/moj/assets/images', name)
  copyFileSync(from, join(output, 'images', name))
}

// A source map would be asked for and is not served
function copyScript(from, to, change = (text) => text) {
  const text = readFileSync(from, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '')
  writeFileSync(join(output, to), change(text))
}
// What it draws stands inside our page, which has a main part already
function withoutMain(text) {
  const main = 'createElement("main",{id:"operations"'
  if (text.split(main).length !== 2) throw new Error('swagger-ui has changed: look at withoutMain')
  return text.replace(main, main.replace('main', 'div'))
}
copyScript(join(modules, 'govuk-frontend/dist/govuk/govuk-frontend.min.js'), 'govuk-frontend.min.js')
copyScript(
  join(modules, 'swagger-ui-dist/swagger-ui-bundle.js'),
  'swagger-ui-bundle.js',
  withoutMain,
)
const swagger = readFileSync(join(modules, 'swagger-ui-dist/swagger-ui.css'), 'utf8')
const readable = readFileSync(join(sources, 'docs.css'), 'utf8')
writeFileSync(
  join(output, 'swagger-ui.css'),
  swagger.replace(/\/\*# sourceMappingURL=.*\*\//, '') + readable,
)
for (const name of ['earlyflag.mjs', 'docs.mjs', 'favicon.svg']) {
  copyFileSync(join(sources, name), join(output, name))
}
