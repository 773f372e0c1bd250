"""The way of a week through its pages, step by step."""

from __future__ import annotations

from sqlalchemy import select

from jobs import commissions as jobs
from portal.commissions import cycles as service
from portal.extensions import db
from portal.models import Cycle, Entry


def ended(app, do, cycle_id):
    with app.app_context():
        zone = jobs.company_zone()
    do(service.end_if_due, zone=zone, early=True)
    with app.app_context():
        return db.session.get_one(Cycle, cycle_id).name


def state(app, name):
    with app.app_context():
        return db.session.scalar(select(Cycle.state).where(Cycle.name == name))


def title(week):
    return f"Week {int(week[-2:])}"


def entries(app):
    with app.app_context():
        return list(db.session.scalars(select(Entry.key).order_by(Entry.id)))


def previewed(visitor, work, week):
    visitor.visit(f"/admin/cycles/{week}")
    assert visitor.submit(f"/admin/cycles/{week}/preview").status_code == 303
    work()
    return visitor.visit(f"/admin/cycles/{week}")


def closed(signed_in, work, week):
    ada, fin = signed_in("ada"), signed_in("fin")
    previewed(ada, work, week)
    ada.submit(f"/admin/cycles/{week}/approve")
    fin.visit(f"/admin/cycles/{week}")
    fin.submit(f"/admin/cycles/{week}/approve")
    work()
    return ada, fin
