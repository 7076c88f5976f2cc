import joblib, tempfile, shutil


def f(x):
    return x + 1


def once():
    d = tempfile.mkdtemp()
    m = joblib.Memory(d, verbose=0)
    g = m.cache(f)
    r = g(1), g(1), joblib.Parallel(n_jobs=1)(joblib.delayed(f)(i) for i in range(3))
    shutil.rmtree(d)
    return r
