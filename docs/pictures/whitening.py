"""The objective of one feature and an intercept, and the path of L-BFGS, raw and whitened."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.datasets import load_breast_cancer

data = load_breast_cancer()
TEXTURE = np.array(data.feature_names) == "mean texture"
ROWS = np.column_stack([data.data[:, TEXTURE], np.ones(len(data.data))])
BENIGN = data.target
LEVELS = [0.5, 2, 8, 32, 128, 512]  # nats above the minimum

PANELS = 2


def draw(figure, rows, columns):
    # At zero every probability is 1/2. In u = root.T @ theta the Hessian there is the identity.
    root = np.linalg.cholesky(ROWS.T @ ROWS / 4)
    both = figure.subplots(rows, columns)
    draw_path(both[0], np.eye(2), (-0.75, 0.35), (-2.5, 9.5))
    draw_path(both[1], root, (-17, 14), (-7, 24))
    both[0].set(xlabel="coefficient of the texture", ylabel="intercept")
    both[1].set(xlabel="first whitened coordinate", ylabel="second", aspect="equal")


def draw_path(axes, root, x, y):
    """Draw contours and path in the coordinates root.T @ theta."""

    def objective(u):
        theta = np.linalg.solve(root.T, u)
        z = ROWS @ theta
        return np.logaddexp(0, z).sum() - BENIGN @ z, np.linalg.solve(root, gradient(z))

    def gradient(z):
        return ROWS.T @ (expit(z) - BENIGN)

    path = [np.zeros(2)]
    options = {"gtol": 0, "ftol": 1e-10}
    found = minimize(
        objective, path[0], jac=True, method="L-BFGS-B", callback=path.append, options=options
    )
    grid = np.array(np.meshgrid(np.linspace(*x, 100), np.linspace(*y, 100)))
    values = [objective(u)[0] - found.fun for u in grid.reshape(2, -1).T]
    style = {"colors": "C4", "linewidths": 0.8}
    axes.contour(*grid, np.reshape(values, grid.shape[1:]), LEVELS, **style)
    axes.plot(*np.transpose(path), "o-", color="C1", linewidth=1.2, markersize=3.5)
    axes.plot(*found.x, "*", color="C0", markersize=11)
    axes.set(xlim=x, ylim=y)
    axes.set_title(f"{found.nit} iterations")
