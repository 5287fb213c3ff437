// The pages work without this: it only makes them more comfortable.
import {
  Button,
  ErrorSummary,
  NotificationBanner,
  Radios,
  Checkboxes,
  ServiceNavigation,
  SkipLink,
  createAll,
} from './govuk-frontend.min.js'

createAll(Button, { preventDoubleClick: true })
createAll(ErrorSummary)
createAll(NotificationBanner)
createAll(Radios)
createAll(Checkboxes)
createAll(ServiceNavigation)
createAll(SkipLink)

for (const all of document.querySelectorAll('[data-select-all]')) {
  all.hidden = false
  all.addEventListener('click', () => {
    const boxes = [...document.querySelectorAll('input[type=checkbox][name=flag]')]
    const chosen = boxes.some((box) => !box.checked)
    for (const box of boxes) box.checked = chosen
  })
}
