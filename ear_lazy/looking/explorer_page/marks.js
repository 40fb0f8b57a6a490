// Boxes and keypoints over thumbnails.

const TINY = 9 // pixels of a thumbnail: a smaller box gets a ring around it

function strokeBoth(context, path, predicted, fine) {
  context.setLineDash([])
  if (!fine || !predicted) { // lines that stand close need no rim of their own: it would hide those below
    context.lineWidth = fine ? 2.2 : 3
    context.strokeStyle = '#000'
    context.stroke(path)
  }
  context.lineWidth = fine ? 1 : 1.3
  context.strokeStyle = predicted ? '#ffb000' : '#fff'
  if (predicted && !fine) context.setLineDash([5, 3])
  context.stroke(path)
}

export function drawMarks(context, marks, predicted) {
  const { boxes = [], points = [], contours = [] } = marks
  for (const [x, y, w, h] of boxes) {
    const path = new Path2D()
    if (Math.max(w, h) >= TINY) path.rect(x, y, w, h)
    else path.arc(x + w / 2, y + h / 2, TINY, 0, 7)
    strokeBoth(context, path, predicted)
    if (Math.max(w, h) < TINY) { context.fillStyle = predicted ? '#ffb000' : '#fff'; context.fillRect(x + w / 2 - 1, y + h / 2 - 1, 2, 2) }
  }
  for (const run of runs(points, contours)) {
    const path = new Path2D()
    for (const [x, y] of run) path.lineTo(x, y)
    strokeBoth(context, path, predicted, true)
  }
  if (contours.length) return // beside lines, dots would fill a thumbnail
  context.setLineDash([])
  for (const [x, y, v] of points) {
    if (!v) continue
    const path = new Path2D()
    path.arc(x, y, 2, 0, 7)
    context.fillStyle = v === 1 ? '#000' : predicted ? '#ffb000' : '#fff'
    context.lineWidth = 1
    context.strokeStyle = v === 1 ? '#fff' : '#000'
    context.fill(path)
    context.stroke(path)
  }
}

export function runs(points, contours) { // of labelled points that follow each other in a contour
  const found = []
  for (const [start, stop] of contours) {
    let run = []
    for (const point of points.slice(start, stop)) {
      if (point[2]) run.push(point)
      else { found.push(run); run = [] }
    }
    found.push(run)
  }
  return found.filter(run => run.length > 1)
}

export function spacing(points) { // from a labelled point to the next: the usual distance
  const steps = points.slice(1).map(([x, y], i) => Math.hypot(x - points[i][0], y - points[i][1])).sort((a, b) => a - b)
  return steps[steps.length >> 1] ?? 100
}
