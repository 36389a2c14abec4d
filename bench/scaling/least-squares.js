'use strict';

/**
 * Least squares with coefficients that are not negative: those that would be are taken for 0. Rows count alike, however large.
 * @param {{x: number[], y: number}[]} rows
 * @returns {number[]} c, so that x · c is about y
 */
function leastSquares(rows) {
  const scaled = rows.map(({ x, y }) => ({ x: x.map((value) => value / y), y: 1 }));
  const columns = rows[0].x.length;
  let active = Array.from({ length: columns }, (_, i) => i);
  for (;;) {
    const found = solve(scaled, active);
    const worst = active.filter((_, i) => found[i] < 0);
    if (worst.length === 0) {
      return Array.from({ length: columns }, (_, i) => found[active.indexOf(i)] ?? 0);
    }
    active = active.filter((i) => !worst.includes(i));
  }
}

/** The normal equations of some columns, by elimination. */
function solve(rows, columns) {
  const size = columns.length;
  const matrix = columns.map((a) => [
    ...columns.map((b) => rows.reduce((sum, { x }) => sum + x[a] * x[b], 0)),
    rows.reduce((sum, { x, y }) => sum + x[a] * y, 0),
  ]);
  for (let i = 0; i < size; i++) {
    const pivot = matrix.slice(i).sort((a, b) => Math.abs(b[i]) - Math.abs(a[i]))[0];
    matrix.splice(matrix.indexOf(pivot), 1);
    matrix.splice(i, 0, pivot);
    for (let j = 0; j < size; j++) {
      if (j === i) continue;
      const factor = matrix[j][i] / pivot[i];
      for (let k = i; k <= size; k++) matrix[j][k] -= factor * pivot[k];
    }
  }
  return matrix.map((row, i) => row[size] / row[i]);
}

module.exports = { leastSquares };
