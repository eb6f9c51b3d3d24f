/** Solves a symmetric positive definite system of linear equations, by Cholesky. Takes its matrix apart. */
export function solve(matrix: number[][], right: readonly number[]): number[] {
  const size = right.length;
  for (let row = 0; row < size; row++)
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row]![column]!;
      for (let k = 0; k < column; k++) sum -= matrix[row]![k]! * matrix[column]![k]!;
      matrix[row]![column] = row === column ? Math.sqrt(sum) : sum / matrix[column]![column]!;
    }
  const middle: number[] = [];
  for (let row = 0; row < size; row++) {
    let sum = right[row]!;
    for (let k = 0; k < row; k++) sum -= matrix[row]![k]! * middle[k]!;
    middle.push(sum / matrix[row]![row]!);
  }
  const result = Array<number>(size).fill(0);
  for (let row = size - 1; row >= 0; row--) {
    let sum = middle[row]!;
    for (let k = row + 1; k < size; k++) sum -= matrix[k]![row]! * result[k]!;
    result[row] = sum / matrix[row]![row]!;
  }
  return result;
}
